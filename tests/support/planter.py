"""Inputs in which everything that a file may hold is a canary."""

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin, TiffImagePlugin
from pydicom.encaps import encapsulate, generate_frames
from pydicom.tag import Tag
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

from tests.support.canaries import NAME, TEXT, Canaries, dictionary_tags, profile_tags
from tests.support.dicom_files import KIND_UIDS, radiograph, save
from tests.support.releases import NATIVE, texture

# What decides whether and how a file is read. Each is planted in a file of its own.
DECISIVE = (
    "BodyPartExamined", "BurnedInAnnotation", "ColumnAngulation", "FrameIncrementPointer",
    "ModalityLUTSequence", "NumberOfFrames", "PatientBreedCodeSequence",
    "PatientBreedDescription", "PatientOrientation", "PatientSpeciesCodeSequence",
    "PatientSpeciesDescription", "PixelPaddingRangeLimit", "PixelPaddingValue",
    "PresentationIntentType", "RescaleIntercept", "RescaleSlope", "SpecificCharacterSet",
    "ViewCodeSequence", "ViewPosition", "VOILUTFunction", "VOILUTSequence", "WindowCenter",
    "WindowWidth",
)  # fmt: skip

# What an output has too, and one that it has not.
SEQUENCES = (
    "ContributingEquipmentSequence", "DeidentificationMethodCodeSequence",
    "DerivationCodeSequence", "AnatomicRegionSequence", "SourceImageSequence",
)  # fmt: skip


def stored(number: int) -> np.ndarray:
    return np.rint(texture(number) * 4095)


class Planter:
    """Writes inputs with canaries into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.canaries, self.count = folder, Canaries(), 0
        folder.mkdir()

    def path(self, suffix: str = "") -> Path:
        self.count += 1
        place = self.folder / f"{NAME}^Jane" / f"{NAME}19020304"
        place.mkdir(parents=True, exist_ok=True)
        return place / f"{NAME}{self.count:04}{suffix}"

    def dataset(self, kind: str = "CR"):
        """A radiograph whose identifiers are canaries."""
        value = self.canaries.value
        return radiograph(
            stored(self.count),
            kind=kind,
            **{
                keyword: self.canaries.identifier(value(vr))
                for keyword, vr in {
                    "SOPInstanceUID": "UI",
                    "StudyInstanceUID": "UI",
                    "SeriesInstanceUID": "UI",
                    "PatientID": "LO",
                    "PatientName": "PN",
                    "AccessionNumber": "SH",
                    "PatientBirthDate": "DA",
                    "OtherPatientIDs": "LO",
                }.items()
            },
        )

    def everything(self, kind: str, syntax=None, *, nested: bool = True) -> None:
        """All attributes, at the top and in items of sequences of items; private ones, meta.

        Those of PS3.15, and in one file those of the whole dictionary. In some files they are
        also inside of the items of sequences that an output has (``nested``).
        """
        dataset, canaries = self.dataset(kind), self.canaries
        tags = profile_tags() + [Tag(keyword) for keyword in SEQUENCES]
        tags += dictionary_tags() if kind == "CR" else []
        decisive = {Tag(keyword) for keyword in DECISIVE}
        canaries.plant(dataset, [t for t in tags if t not in decisive and t.group != 0x7FE0])
        for keyword in SEQUENCES if nested else ():
            for item in (dataset[keyword].value[0], dataset[keyword].value[0][0x00081140][0]):
                canaries.plant(item, profile_tags(), nested=True)
        block = dataset.private_block(0x0029, canaries.value("LO"), create=True)
        block.add_new(1, "SQ", [canaries.item()])
        block.add_new(2, "UN", canaries.value("UN"))
        block.add_new(3, "LO", canaries.value("LO"))
        dataset.DataSetTrailingPadding = canaries.value("OB")
        meta = dataset.file_meta
        for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle",
                        "ReceivingApplicationEntityTitle"):  # fmt: skip
            setattr(meta, keyword, canaries.value("AE"))
        meta.PrivateInformationCreatorUID = canaries.value("UI")
        meta.PrivateInformation = canaries.value("OB")
        meta.ImplementationVersionName = canaries.value("SH")
        dataset.preamble = canaries.value("OB") * 8
        if syntax is not None and syntax.is_encapsulated:
            dataset.compress(syntax, generate_instance_uid=False)
            self._comment(dataset)
        elif syntax is not None:
            meta.TransferSyntaxUID = syntax
            if not syntax.is_little_endian:
                dataset.PixelData = stored(self.count).astype(">u2").tobytes()
        save(dataset, self.path(".dcm"))

    def _comment(self, dataset) -> None:
        """A comment in the code stream, behind its first marker."""
        (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
        text = self.canaries.value("OB")
        jpeg_2000 = dataset.file_meta.TransferSyntaxUID == JPEG2000Lossless
        at = frame.index(b"\xff\x52") if jpeg_2000 else 2
        marker = b"\xff\x64" if jpeg_2000 else b"\xff\xfe"
        text = b"\0\1" + text if jpeg_2000 else text
        segment = marker + (len(text) + 2).to_bytes(2, "big") + text
        dataset.PixelData = encapsulate([frame[:at] + segment + frame[at:]])

    def decisive(self, keyword: str) -> None:
        dataset = self.dataset()
        if keyword in dataset:
            del dataset[keyword]
        self.canaries.plant(dataset, [Tag(keyword)])
        save(dataset, self.path())

    def refused(self) -> None:
        """Files that cannot be handled, full of canaries."""
        value = self.canaries.value
        good = save(self.dataset(), self.path()).read_bytes()
        self.path().write_bytes(good[:700])
        self.path().write_bytes(good[: len(good) // 2])
        self.path().write_bytes(good[:132] + good[200:])
        self.path().write_bytes(good + value("OB"))
        self.path(".txt").write_text(f"{value('LO')} {value('DA')}\n")
        self.path(".csv").write_text(f"{value('LO')} {value('DA')}\n", encoding="utf-16")
        for name in (".png", ".jpg", ".tiff"):
            self.path(name).write_bytes(value("OB") * 20)
        for keyword, junk in {
            "SOPClassUID": value("UI"), "Modality": value("CS"), "PixelData": value("OB"),
            "PhotometricInterpretation": value("CS"), "StudyInstanceUID": [value("UI")] * 2,
            "Rows": 40_001, "PatientID": [value("LO"), value("LO")],
        }.items():  # fmt: skip
            dataset = self.dataset("SC")
            setattr(dataset, keyword, junk)
            save(dataset, self.path())
        dataset = self.dataset()
        dataset.preamble, dataset.file_meta.TransferSyntaxUID = bytes(128), value("UI")
        dataset.save_as(self.path(), implicit_vr=False, little_endian=True)
        # Bytes that no validation lets through: text where numbers are, an unknown VR.
        for old, new in ((b"US\x02\x00", b"QX\x02\x00"), (b"CS", b"IS"), (b"LO", b"FD")):
            self.path().write_bytes(good.replace(old, new))

    def splice(self) -> None:
        """Command and directory elements, which pydicom does not write, before the others."""
        path = save(self.dataset(), self.path())
        data = path.read_bytes()
        at = data.index(b"\x08\x00\x16\x00UI")
        odd = b"".join(
            group.to_bytes(2, "little") + element.to_bytes(2, "little") + b"UI"
            + len(text).to_bytes(2, "little") + text
            for group, element in ((0, 0x1000), (0, 0x1001), (4, 0x1511))
            for text in [f"{self.canaries.value('UI')}\0".encode()]
            for text in [text[: len(text) // 2 * 2]]
        )  # fmt: skip
        path.write_bytes(data[:at] + odd + data[at:])

    def charsets(self) -> None:
        """Names in other character sets, and a text of the wrong one."""
        japanese = ["", "ISO 2022 IR 87"]
        for charset, name in (("ISO_IR 192", "Ж"), (japanese, "山"), ("GB18030", "王")):
            dataset = self.dataset()
            dataset.SpecificCharacterSet = charset
            dataset.PatientName = f"{self.canaries.value('PN')}^{name}={TEXT}{name}"
            save(dataset, self.path())

    def pictures(self) -> None:
        value = self.canaries.value
        grey = Image.fromarray((texture(self.count) * 255).astype(np.uint8))
        exif = Image.Exif()
        for tag in (270, 271, 272, 305, 315, 316, 33432, 0x9286, 0x010D):
            exif[tag] = value("LO")
        exif[306] = "1902:03:04 05:06:07"
        exif.get_ifd(0x8825)[29] = value("DA")
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", value("LO"))
        text.add_text("Compressed", value("LO"), zip=True)
        text.add_itxt(value("LO"), value("LO"), zip=True)
        text.add(b"tIME", b"\x07\x6e\1\2\3\4\5")
        profile = value("OB") * 20
        grey.save(self.path(".png"), pnginfo=text, exif=exif, icc_profile=profile)
        grey = Image.fromarray((texture(self.count) * 255).astype(np.uint8))
        grey.save(self.path(".jpg"), exif=exif, comment=value("OB"), icc_profile=profile,
                  quality=95)  # fmt: skip
        grey = Image.fromarray((texture(self.count) * 255).astype(np.uint8))
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        for tag in (269, 270, 285, 305, 315, 316, 50000):
            tags[tag] = value("LO")
        tags[700], tags[33723] = value("OB"), value("OB")  # XMP, IPTC
        tags.tagtype[700] = tags.tagtype[33723] = 7
        grey.save(self.path(".TIF"), tiffinfo=tags, icc_profile=profile)


def plant(planter: Planter, *, nested: bool) -> int:
    """Writes all inputs; the first ones, as many as it returns, are whole.

    Args:
        planter: Writes them.
        nested: Whether all of the whole ones have everything in the items of sequences, too; else
            one of a kind and one of a transfer syntax do.
    """
    for number, kind in enumerate(KIND_UIDS):
        planter.everything(kind, nested=nested or number == 0)
    for number, syntax in enumerate((*NATIVE, JPEGLSLossless, JPEG2000Lossless)):
        planter.everything("DX", syntax, nested=nested or number == 0)
    planter.pictures()
    planter.splice()
    planter.charsets()
    whole = planter.count
    for keyword in DECISIVE:
        planter.decisive(keyword)
    planter.refused()
    return whole
