"""Which inputs are one picture of one patient: a single release stands for all of them.

Byte-identical files have one key anyway. Files that differ in their headers only have different
ones, and are found out once they have been read; from then on the second one's key leads to the
first one's, in this run and in all later ones. Only keyed digests are remembered.
"""

from __future__ import annotations

from latentdp.vault.index_file import IndexFile

__all__ = ["DuplicateIndex"]


class DuplicateIndex:
    """The links of one vault.

    Args:
        index: Where they are kept.
    """

    def __init__(self, index: IndexFile) -> None:
        self._index = index
        self._key = index.duplicates()
        self._new: dict[str, str] = {}

    def key(self, key: str) -> str:
        """The key under which a content is released, as far as is known without reading it."""
        return self._key.get(key, key)

    def join(self, key: str, picture: str) -> str:
        """The key under which it is released, now that it has been read.

        Args:
            key: Keyed digest of its bytes, from `key`.
            picture: Keyed digest of its picture and its patient.
        """
        first = self._key.get(picture, key)
        for digest in {picture, key} - {first}:
            if self._key.get(digest) != first:
                self._key[digest] = self._new[digest] = first
        return first

    def keep(self) -> None:
        """Remembers, durably, what was found out."""
        self._index.add_duplicates(self._new)
        self._new.clear()
