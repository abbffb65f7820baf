"""What may have become of a document on its way: a field is gone, or holds something else."""

from __future__ import annotations

import copy
from collections.abc import Iterator

GONE = object()
MARK = "zebra"  # of what no document of ours says
# Of every JSON type, and numbers that no float can hold.
OTHERS = (GONE, None, True, -1, 10**400, 1e308, MARK, [], {MARK: 1}, [[1]])
Place = tuple[str | int, ...]


def damaged(document: object) -> Iterator[tuple[Place, object]]:
    """Each field of a document replaced in turn, and where."""
    for place in _places(document, ()):
        for other in OTHERS if place else OTHERS[1:]:
            yield place, _replaced(document, place, other)


def truncated(content: bytes, parts: int = 12) -> Iterator[bytes]:
    """Beginnings of a file, none of them whole."""
    for part in range(parts):
        yield content[: len(content) * part // parts]


def _places(value: object, place: Place) -> Iterator[Place]:
    yield place
    if isinstance(value, dict):
        for key in value:
            yield from _places(value[key], (*place, key))
    if isinstance(value, list) and value:
        yield from _places(value[0], (*place, 0))


def _replaced(document: object, place: Place, other: object) -> object:
    if not place:
        return other
    document = copy.deepcopy(document)
    holder = document
    for key in place[:-1]:
        holder = holder[key]
    if other is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = other
    return document
