"""Words of free text in the languages that archives speak, told by their beginnings.

English, German, French, Spanish, Italian, Portuguese and Dutch, and what else is short to add.
Accents are dropped, and German compounds are why most entries are beginnings of words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

__all__ = ["Said", "Vocabulary", "listed", "words"]


class Said(Enum):
    """What a term or a text says to a question."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "something that is not understood"
    NOTHING = "nothing"


def words(*texts: str) -> frozenset[str]:
    """The words of some texts, in capitals and without accents.

    Initials make one word, however they are written: "A.P.", "A P" and "a-p" are "AP".
    """
    distinct: set[str] = set()
    for text in texts:
        plain = unicodedata.normalize("NFKD", text.upper())
        plain = "".join(c for c in plain if not unicodedata.combining(c))
        plain = re.sub(r"\b([^\W\d_])\W{1,3}([^\W\d_])\b", r"\1\2", plain)
        distinct.update(re.findall(r"[^\W\d_]+", plain))
    return frozenset(distinct)


def listed(text: str) -> frozenset[str]:
    """A list of words or codes that is written with spaces."""
    return frozenset(text.split())


@dataclass(frozen=True)
class Vocabulary:
    """Words that mean one thing.

    Attributes:
        whole: Words as they are.
        beginnings: Of longer words, at least four letters.
        within: Parts anywhere in a word.
    """

    whole: frozenset[str]
    beginnings: tuple[str, ...]
    within: tuple[str, ...] = ()

    @classmethod
    def of(cls, whole: str, beginnings: str = "", within: str = "") -> Vocabulary:
        """From words separated by white space, in capitals."""
        return cls(listed(whole), tuple(beginnings.split()), tuple(within.split()))

    def among(self, said: Iterable[str]) -> frozenset[str]:
        """Those of the words that mean it."""
        return frozenset(word for word in said if word in self)

    def __contains__(self, word: str) -> bool:
        return (
            word in self.whole
            or word.startswith(self.beginnings)
            or any(part in word for part in self.within)
        )
