"""Canaries: values that are valid for their VR, that nothing else holds, and a search for them."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pydicom
from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c
from PIL import Image
from pydicom.datadict import DicomDictionary, RepeatersDictionary, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

TEXT = "QXCANAR"  # every text begins with it
NAME = "QXNAMED"  # every file and folder name
UID_ROOT = "1.2.826.0.1.3680043.8.99999"
_BYTES = ("OB", "OW", "UN", "OF", "OD", "OL", "OV")
_LENGTH = {"SH": 16, "CS": 16, "AE": 16, "OW": 16, "OF": 16, "OD": 16, "OL": 16, "OV": 16}
_FIRST = datetime.date(1801, 1, 1)


@cache
def profile_tags() -> list[BaseTag]:
    """Every attribute of the current PS3.15 table E.1-1; one of each repeating group."""
    return sorted({Tag(entry[:2]) for entry in dicomfields_2026c.ALL_TAGS})


def dictionary_tags() -> list[BaseTag]:
    """Every attribute that pydicom knows, and two of each repeating group."""
    repeated = [name.replace("xx", xx) for name in RepeatersDictionary for xx in ("00", "1E")]
    return [Tag(tag) for tag in DicomDictionary] + [
        Tag(int(name.replace("x", "1"), 16)) for name in repeated
    ]


class Canaries:
    """Makes values, each only once, and knows them all."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._tokens: set[str] = set()
        self._numbers: set[float] = set()
        self._digests: set[bytes] = set()

    def value(self, vr: str) -> Any:
        """A new value for a VR; for numbers too short to be unique, one that is unusual."""
        self._count[vr] += 1
        n = self._count[vr]
        if vr in _BYTES:
            return f"{TEXT}{n:09}".encode()
        if vr in ("DA", "DT", "TM"):
            day = f"{_FIRST + datetime.timedelta(days=n):%Y%m%d}"
            moment = f"101112.{700_000 + n}"
            return self._token({"DA": day, "TM": moment, "DT": day + moment}[vr])
        if vr == "DS":
            return self._token(f"73450.9{n:07}")
        if vr == "IS":
            return self._token(f"17345{n:05}")
        if vr == "AS":
            return self._token(f"{900 + n % 100}W")
        if vr == "UI":
            return f"{UID_ROOT}.{n}"
        if vr in ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"):
            number = {"US": 40_000, "SS": -30_000, "AT": 0x7E010000}.get(vr, 1_734_500_000)
            number += n % 20_000
            number += 0.25 if vr == "FD" else 0
            if vr == "FL":
                number = 16_000_000 + n % 20_000  # exact in 32 bits
            self._numbers.add(number)
            return number
        return f"{TEXT}{n:09}"[: _LENGTH.get(vr)]

    def identifier(self, value: str) -> str:
        """Also looks for digests of this value, which whoever guesses it could recompute."""
        for name in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(name, value.encode()).digest()
            number = str(int.from_bytes(digest[:16], "big"))
            self._digests |= {digest.hex()[:16].encode(), number[:16].encode()}
        return value

    def plant(self, dataset: Dataset, tags: Iterable[BaseTag], *, nested: bool = False) -> None:
        """Adds an element for each tag that ``dataset`` has not; sequences get two levels."""
        for tag in tags:
            if tag in dataset or tag.group in (0, 2, 0xFFFE) or tag.element == 0:
                continue
            try:
                vr = dictionary_VR(tag).split(" or ")[0]
            except KeyError:  # newer than pydicom, or private
                vr = "UN" if tag.is_private else "LO"
            if vr == "NONE" or (nested and vr == "SQ"):
                continue
            if vr == "SQ":
                inner, outer = self.item(), self.item()
                outer.add_new(0x00081140, "SQ", [inner])
                dataset.add_new(tag, "SQ", [outer])
            else:
                dataset.add(DataElement(tag, vr, self.value(vr)))

    def item(self) -> Dataset:
        """An item with a code, an identifier, a date, a number and a private element."""
        item = Dataset()
        for tag in (0x00080104, 0x00081155, 0x0040A121, 0x00280010):
            item.add_new(tag, dictionary_VR(tag), self.value(dictionary_VR(tag)))
        item.private_block(0x11, self.value("LO"), create=True).add_new(1, "UN", self.value("UN"))
        return item

    def found(self, data: bytes) -> set[str]:
        """The canaries in some bytes, in any usual encoding."""
        told = set()
        # Without NUL, UTF-16 and UTF-32 become ASCII.
        for view in (data.upper(), data.replace(b"\0", b"").upper()):
            for text in (TEXT, NAME):
                for spelling in (text.encode(), text.encode().hex().upper().encode()):
                    if spelling in view:
                        at = view.index(spelling)
                        told.add(repr(view[at : at + 24]))
            if UID_ROOT.encode() in view:
                told.add("UID")
            plain = view.replace(b"-", b"").replace(b":", b"")
            # An age is no end of a time of the ledger before the word "written".
            ages = rb"(?<![0-9])9[0-9]{2}W(?![A-Z])"
            tokens = {t.decode() for t in re.findall(rb"[0-9.]{8,}|" + ages, plain)}
            told |= tokens & self._tokens
        told |= {"base64" for part in _base64(f"{TEXT}0000".encode()) if part in data}
        for run in re.findall(rb"[0-9a-f]{16,}", data.lower()):
            windows = {run[i : i + 16] for i in range(len(run) - 15)}
            told |= {"digest" for _ in windows & self._digests}
        return told

    def found_in(self, path: Path) -> set[str]:
        """The canaries in a file, its name, and what it decodes to."""
        told = self.found(path.name.encode("utf-8", "surrogateescape"))
        if not path.is_file():
            return told
        # Images inside pages are of outputs; in so much base64 four letters are found by chance.
        data = re.sub(rb"data:image/png;base64,[A-Za-z0-9+/=]+", b"", path.read_bytes())
        told |= self.found(data)
        values = list(_decoded(data))
        texts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
        numbers = {value for value in values if isinstance(value, int | float)}
        return told | self.found(b"\n".join(texts)) | {str(n) for n in numbers & self._numbers}

    def _token(self, text: str) -> str:
        self._tokens.add(text)
        return text


def _base64(text: bytes) -> Iterator[bytes]:
    """What base64 makes of ``text``, wherever it stands, less what depends on its neighbours."""
    for lead in range(3):
        whole = base64.b64encode(b"\0" * lead + text)
        yield whole[4 if lead else 0 : -4 if (lead + len(text)) % 3 else None]


def _decoded(data: bytes) -> Iterator[Any]:
    """The values of a DICOM file or the texts of a picture; nothing of other files."""
    if data[128:132] == b"DICM":
        dataset = pydicom.dcmread(io.BytesIO(data))
        yield dataset.preamble
        for part in (dataset.file_meta, dataset):
            for element in part.iterall():
                value = element.value
                yield from value if element.VM > 1 else [value]
    elif data[:4] in (b"\x89PNG", b"II*\0", b"MM\0*") or data[:2] == b"\xff\xd8":
        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            yield from map(repr, picture.info.values())
            yield from map(repr, picture.getexif().values())
