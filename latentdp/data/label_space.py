"""What a label is called: a class by its name, or several attributes by their words.

The word of a finding that is present is its name; that of another attribute's value is the value:
``Edema;Effusion;PA``. A finding that is not named is absent. Where none is there the word is
``No Finding``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from latentdp.core.arrays import UNKNOWN
from latentdp.core.attributes import (
    ABSENT,
    PRESENT,
    Attribute,
    classes,
    label_count,
    labels_of,
    values_of,
)
from latentdp.data.dataset import NORMAL
from latentdp.errors import InputError

__all__ = ["NO_FINDING", "SEPARATOR", "LabelSpace", "band_of"]

NO_FINDING = "No Finding"
SEPARATOR = ";"
_SEXES = {"female": "f", "woman": "f", "male": "m", "man": "m"}
_BAND = re.compile(r"(\d+)(?:-(\d+)|\+)")  # of years: 35-49 or 65+


@dataclass(frozen=True)
class LabelSpace:
    """All labels that some weights know.

        >>> from latentdp.core.attributes import finding
        >>> view = Attribute("view", ("AP", "PA"))
        >>> space = LabelSpace((finding("Edema"), finding("Mass"), view))
        >>> space.name(space.label(["mass", "PA"]))
        'Mass;PA'
        >>> space.name(space.label(["no finding"]))
        'No Finding'

    Attributes:
        attributes: What a label says; classes are one attribute without a name.
    """

    attributes: tuple[Attribute, ...]

    @classmethod
    def of_classes(cls, names: Iterable[str]) -> LabelSpace:
        """Of weights that know classes."""
        return cls(classes(*dict.fromkeys(names)))

    @property
    def has_classes(self) -> bool:
        """Whether a label is one class."""
        return len(self.attributes) == 1 and not self.attributes[0].name

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of classes; none where labels say several attributes."""
        return self.attributes[0].values if self.has_classes else ()

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Every word that a label may be of, as it is written."""
        if self.has_classes:
            return self.classes
        return tuple(
            word
            for one in self.attributes
            for word in ((one.name,) if one.is_finding else one.values)
        )

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the attributes that are findings."""
        return tuple(one.name for one in self.attributes if one.is_finding)

    def only(self, names: Iterable[str]) -> LabelSpace:
        """That of some of the attributes; classes, which have no name, stay."""
        kept = {*names, ""}
        return LabelSpace(tuple(one for one in self.attributes if one.name in kept))

    def label_in(self, whole: LabelSpace, label: int) -> int:
        """A label of these attributes as one of all, which knows nothing of the others."""
        values = values_of(self.attributes, np.array([label]))[0]
        said = {one.name: value for one, value in zip(self.attributes, values, strict=True)}
        row = [said.get(one.name, UNKNOWN) for one in whole.attributes]
        return int(labels_of(whole.attributes, [row])[0])

    def meaning(self, word: str) -> Mapping[int, int] | None:
        """What a word says: values by the index of their attribute; None for no word of these.

        Args:
            word: In any case, with spaces or underscores.
        """
        return self._meanings.get(self._plain(word))

    def label(self, words: Iterable[str]) -> int:
        """The label that words say together; findings that are not named are absent.

        Args:
            words: None of them stands for nothing known.

        Raises:
            InputError: A word that means nothing here, or two that contradict each other.
        """
        said = [self.meaning(word) for word in words]
        if None in said:
            raise InputError(f"expected words of {', '.join(self.words)}, got another one")
        merged = self.merged([one for one in said if one is not None])
        if merged is None:
            raise InputError("expected words that agree, got some that contradict each other")
        return merged

    def merged(self, meanings: Sequence[Mapping[int, int]]) -> int | None:
        """The label of several meanings; None where they contradict each other."""
        values = np.full(len(self.attributes), UNKNOWN, dtype=np.int64)
        for meaning in meanings:
            for i, value in meaning.items():
                if values[i] not in (UNKNOWN, value):
                    return None
                values[i] = value
        told = [i for i, one in enumerate(self.attributes) if one.is_finding]
        if any(values[i] != UNKNOWN for i in told):
            values[told] = np.where(values[told] == UNKNOWN, ABSENT, values[told])
        return int(labels_of(self.attributes, values[None])[0])

    def name(self, label: int) -> str:
        """The words of a label, separated by ``;``; empty where nothing is known."""
        values = values_of(self.attributes, np.array([label]))[0]
        words, told = [], False
        for one, value in zip(self.attributes, values, strict=True):
            if value == UNKNOWN:
                continue
            if not one.is_finding or self.has_classes:
                words.append(one.values[value])
                continue
            told = True
            words += [one.name] if value == PRESENT else []
        if told and not {*words} & {*self.findings}:
            words.insert(0, self.none)
        return SEPARATOR.join(words)

    def value(self, attribute: Attribute, text: str) -> str:
        """The word for what a column of an attribute holds: a value, or years in a band.

            >>> age = Attribute("age", ("18-34", "35+"))
            >>> LabelSpace((age,)).value(age, "041Y")
            '35+'

        Args:
            attribute: Of the column.
            text: A value in any case, F or M as a word, or a number of years.

        Returns:
            Empty for what is none of its values.
        """
        said = text.strip().lower()
        if attribute.name == "sex":  # by its first letter "missing" would be male
            said = _SEXES.get(said, said)
        for value in attribute.values:
            if said == value.lower():
                return value
        years = re.fullmatch(r"0*(\d{1,3})y?", said)
        return band_of(attribute, int(years[1])) if years else ""

    @cached_property
    def none(self) -> str:
        """What says that none of the findings is there: of those "Normal" may be one."""
        own = {name.lower() for name in self.findings}
        return "None" if own & NORMAL else NO_FINDING

    @cached_property
    def _meanings(self) -> dict[str, Mapping[int, int]]:
        if self.has_classes:
            return {self._plain(name): {0: i} for i, name in enumerate(self.classes)}
        label_count(self.attributes)
        known: dict[str, Mapping[int, int]] = {}
        absent = {i: ABSENT for i, one in enumerate(self.attributes) if one.is_finding}
        if absent:
            normal = [i for i in absent if self.attributes[i].name.lower() in NORMAL]
            known = dict.fromkeys(NORMAL, absent | dict.fromkeys(normal, PRESENT))
            known[self._plain(self.none)] = absent
        for i, one in enumerate(self.attributes):
            values = (one.name,) if one.is_finding else one.values
            first = PRESENT if one.is_finding else 0
            known |= {self._plain(word): {i: n} for n, word in enumerate(values, first)}
        return known

    def _plain(self, word: str) -> str:
        small = word.strip().lower()
        return small if self.has_classes else small.replace("_", " ")


def band_of(attribute: Attribute, years: int) -> str:
    """The value that so many years lie in, as 35-49 and 65+ do; empty for none."""
    for value in attribute.values:
        band = _BAND.fullmatch(value)
        if band and int(band[1]) <= years and (band[2] is None or years <= int(band[2])):
            return value
    return ""
