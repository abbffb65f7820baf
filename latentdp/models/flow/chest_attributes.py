"""The attributes of a chest X-ray that flows are conditioned on, as a manifest has them.

The lists and the borders of the age bands are public constants.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from latentdp.core.arrays import UNKNOWN
from latentdp.data.dataset import Dataset
from latentdp.data.label_space import band_of
from latentdp.errors import InputError
from latentdp.models.flow.attributes import ABSENT, PRESENT, Attribute, finding

__all__ = ["ADULT", "ADULT_AGE", "PAEDIATRIC", "attribute_values", "finding_columns"]

ADULT_AGE = 18

# ChestX-ray14's findings (Wang et al., CVPR 2017).
NIH_FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)
# Kermany's (2018), as its manifest writes them; the two kinds of pneumonia exclude each other.
KERMANY_FINDINGS = {
    "Normal": "normal",
    "Bacterial pneumonia": "bacterial",
    "Viral pneumonia": "viral",
}
VIEW = Attribute("view", ("AP", "PA"))
SEX = Attribute("sex", ("F", "M"))
AGE = Attribute("age", ("18-34", "35-49", "50-64", "65+"))

ADULT = (*(finding(name) for name in NIH_FINDINGS), VIEW, SEX, AGE)
PAEDIATRIC = tuple(finding(name) for name in KERMANY_FINDINGS)

# A report in one vocabulary says nothing of the findings of another. What all words of a
# vocabulary are called, and the words that say that none of its findings is there.
_WORDS = {name: name.lower() for name in NIH_FINDINGS} | KERMANY_FINDINGS
_NONE = ("no finding", "rsna normal")
_VOCABULARIES = (
    frozenset((*map(str.lower, NIH_FINDINGS), *_NONE)),
    frozenset((*KERMANY_FINDINGS.values(), "pneumonia")),
)
# What another report says of the same image: not taken over, but no longer sure to be absent.
_DOUBT = "nih:"


def attribute_values(data: Dataset, attributes: Sequence[Attribute]) -> NDArray[np.int64]:
    """Index ``(n, attributes)`` of each image's value; -1 where the manifest does not say.

    A finding is present where the labels name it, and absent where all of them are words of the
    vocabulary that it belongs to. One that only another reader named ("NIH:Mass" beside "RSNA
    Normal") is unknown.

    Raises:
        InputError: An attribute that no manifest has.
    """
    columns = [_column(data, attribute) for attribute in attributes]
    return np.array(columns, dtype=np.int64).reshape(len(columns), len(data)).T


def finding_columns(attributes: Sequence[Attribute]) -> list[int]:
    """Indices of those attributes that are findings."""
    return [i for i, attribute in enumerate(attributes) if attribute.name in _WORDS]


def _column(data: Dataset, attribute: Attribute) -> list[int]:
    if attribute.name in _WORDS:
        word = _WORDS[attribute.name]
        return [_presence(reported, word) for reported in data.reported]
    value_of: Callable[[int], str] | None = {
        "view": data.views.__getitem__,
        "sex": data.sexes.__getitem__,
        "age": lambda i: _band(attribute, data.ages[i]),
    }.get(attribute.name)
    if value_of is None:
        raise InputError(f"no manifest has the attribute {attribute.name!r}")
    index = {value: i for i, value in enumerate(attribute.values)}
    return [index.get(value_of(i), UNKNOWN) for i in range(len(data))]


def _presence(reported: str, word: str) -> int:
    words = {part.strip().lower() for part in reported.split(";")} - {""}
    if word in words:
        return PRESENT
    sure = {part for part in words if not part.startswith(_DOUBT)}
    vocabulary = next(words_of for words_of in _VOCABULARIES if word in words_of)
    ruled_out = bool(sure) and sure <= vocabulary and _DOUBT + word not in words
    return ABSENT if ruled_out else UNKNOWN


def _band(attribute: Attribute, age: float) -> str:
    return "" if math.isnan(age) else band_of(attribute, int(age))
