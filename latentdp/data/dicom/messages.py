"""What is said to an archive and what it answers: the data sets of queries and of transfers.

Whoever speaks to an archive takes data sets from here and hands those that it gets back here, so
that it need not know how they are made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import dcmread
from pydicom.multival import MultiValue

from latentdp.data.dicom.instance import guarded
from latentdp.data.silence import silence
from latentdp.errors import UnsupportedInstance

__all__ = [
    "StoredAs",
    "encoded",
    "failed_instances",
    "query",
    "stored_as",
    "texts",
    "texts_of_json",
    "whole",
]


@dataclass(frozen=True, kw_only=True)
class StoredAs:
    """What has to be agreed on before a file is sent.

    Attributes:
        sop_class: SOP Class UID (0008,0016).
        instance: SOP Instance UID (0008,0018).
        syntax: Transfer Syntax UID (0002,0010).
    """

    sop_class: str
    instance: str
    syntax: str


def query(level: str, keys: Mapping[str, str]) -> Dataset:
    """The identifier of a C-FIND, C-MOVE or C-GET, PS3.4 C.4.

    Args:
        level: ``STUDY``, ``SERIES`` or ``IMAGE``.
        keys: Keyword to value; an empty one is asked for, and restricts nothing.
    """
    identifier = Dataset()
    if not all(value.isascii() for value in keys.values()):
        identifier.SpecificCharacterSet = "ISO_IR 192"
    identifier.QueryRetrieveLevel = level
    with silence():
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
    return identifier


def texts(answer: Dataset, keywords: Iterable[str]) -> dict[str, str]:
    """Elements of an answer as text, "" for what it lacks; several values behind backslashes."""
    with silence():
        return {keyword: _text(answer, keyword) for keyword in keywords}


def texts_of_json(answer: Mapping[str, Any], keywords: Iterable[str]) -> dict[str, str]:
    """The same of an answer in the DICOM JSON model, PS3.18 F.2."""
    return {keyword: _text_of_json(answer, keyword) for keyword in keywords}


def failed_instances(answer: Mapping[str, Any]) -> dict[str, int]:
    """What a STOW answer in the DICOM JSON model says was not stored, PS3.18 10.5.3.

    Returns:
        Failure Reason (0008,1197) by SOP Instance UID; 0 where none is stated.
    """
    element = answer.get("00081198")
    failed = element.get("Value") if isinstance(element, Mapping) else None
    reasons = {}
    for item in failed if isinstance(failed, list) else ():
        if isinstance(item, Mapping):
            told = texts_of_json(item, ("ReferencedSOPInstanceUID", "FailureReason"))
            reason = re.fullmatch("[0-9]{1,5}", told["FailureReason"])
            reasons[told["ReferencedSOPInstanceUID"]] = int(reason[0]) if reason else 0
    return reasons


def stored_as(path: Path) -> StoredAs:
    """How a file states what it is.

    Raises:
        UnsupportedInstance: It is no DICOM file, or cannot be read.
    """
    return guarded(path, _stored_as, pixels=False)


def whole(path: Path) -> Dataset:
    """A file of ours as a data set, to be sent.

    Raises:
        UnsupportedInstance: It cannot be read.
    """
    try:
        with silence():
            return dcmread(path)
    except Exception:  # noqa: BLE001, S110
        pass
    raise UnsupportedInstance("unreadable", "expected a whole DICOM file, got another")


def encoded(dataset: Dataset) -> bytes:
    """A data set that came with its meta header, as a file (PS3.10 7); values stay as they came.

    Raises:
        UnsupportedInstance: It cannot be written.
    """
    file = BytesIO()
    try:
        with silence():
            dataset.save_as(file, enforce_file_format=True)
            return file.getvalue()
    # Whatever an odd value makes pydicom raise, with that value in its message.
    except Exception:  # noqa: BLE001, S110
        pass
    raise UnsupportedInstance("unreadable", "expected a data set that can be written")


def _stored_as(dataset: FileDataset) -> StoredAs:
    told = texts(dataset, ("SOPClassUID", "SOPInstanceUID"))
    return StoredAs(
        sop_class=told["SOPClassUID"],
        instance=told["SOPInstanceUID"],
        syntax=str(dataset.file_meta.TransferSyntaxUID),
    )


def _text(answer: Dataset, keyword: str) -> str:
    try:
        value = answer.get(keyword)
    except Exception:  # noqa: BLE001  # bytes that its type does not have
        return ""
    values = value if isinstance(value, MultiValue) else [value]
    return "\\".join(str(one).strip(" \0") for one in values if one is not None)


def _text_of_json(answer: Mapping[str, Any], keyword: str) -> str:
    element = answer.get(f"{tag_for_keyword(keyword) or 0:08X}")
    values = element.get("Value") if isinstance(element, Mapping) else None
    if not isinstance(values, list):
        return ""
    return "\\".join(str(one).strip(" \0") for one in values if isinstance(one, (str, int)))
