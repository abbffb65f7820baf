"""Makes a folder as a hospital has it: an export of its archive, and a list of findings.

    python samples/hospital.py FOLDER [--images 40] [--seed 7]

FOLDER/export is what an archive (PACS) writes to a disk: a DICOMDIR, folders by patient, study and
series, and between the chest radiographs what lies there in truth: side views, a hand, a picture
that was sent twice, a file that broke off, and what operating systems leave. Several patients came
again and again. FOLDER/findings.csv is what the hospital's information system says of the
examinations, in the hospital's own words, by accession number; one row was forgotten.

Everybody is invented. The pictures are mixed from those in samples/cxr, which a network drew: they
show nobody. The same seed gives the same bytes. JPEG lossless (process 14), which many archives
use, is missing: pydicom can read it with the extra `gdcm`, and nothing that it knows writes it.
"""

from __future__ import annotations

import argparse
import csv
import gc
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)
from scipy.ndimage import affine_transform, gaussian_filter

from latentdp.data.dicom.instance import read
from latentdp.data.preprocess import resize

SAMPLES = Path(__file__).parent / "cxr"
SIDES = (288, 256)  # rows and columns
FEWEST = 12
ODD = 4  # images that are no new frontal chest radiograph, one of each kind
SYNTAXES = (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)
STUDIES = (1, 2, 1, 3, 1, 1, 2, 1, 4)  # of one patient after the other
SURNAMES = ("Muster", "Nowak", "Rossi", "Okafor", "Jansen", "Sato", "Silva", "Dubois", "Novak")
NAMES = ("Erika", "Jan", "Maria", "Kemi", "Luca", "Hanako", "Ines", "Paul", "Yuki", "Omar")
FINDINGS = (  # in the hospital's words, and where they brighten the picture, in parts of it
    ("no acute disease", None),
    ("pleural effusion", (0.78, 0.25)),
    ("no acute disease", None),
    ("infiltrate", (0.6, 0.7)),
    ("pleural effusion; pacemaker", (0.8, 0.72)),
    ("no acute disease", None),
    ("cardiomegaly", (0.66, 0.55)),
)
# What macOS writes beside a file on a disk that is not its own.
APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(58)

Picture = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Exposure:
    """One image of an examination, as a machine made it."""

    patient: int
    study: int
    name: str
    sex: str
    born: date
    day: date
    finding: str
    picture: Picture
    view: str = "PA"
    part: str = "CHEST"
    series: int = 1

    @property
    def accession(self) -> str:
        """Number of the examination in the hospital's information system."""
        return f"R{self.day:%y}{self.patient:04}{self.study:02}"


def main(folder: Path, images: int, seed: int) -> None:
    """Writes the export and the list of findings.

    Args:
        folder: New or empty.
        images: Image files in the export, those that no release can take included.
        seed: Of all that is drawn.
    """
    rng = np.random.default_rng(seed)
    exposures = list(examinations(images - ODD, rng))
    frontal = len(exposures)
    first = exposures[0]
    exposures.append(replace(first, view="LL", series=2, picture=first.picture[:, ::-1].copy()))
    hand = replace(first, patient=first.patient + 7000, study=0, finding="fracture")
    exposures.append(replace(hand, part="HAND", view="AP", picture=hand.picture.T.copy()))
    datasets = [dataset(exposure, i) for i, exposure in enumerate(exposures)]
    again = dataset(replace(exposures[1], series=9), 1)  # sent a second time
    export = folder / "export"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        write([*datasets, again], export, seed)
        gc.collect()  # pydicom leaves an empty temporary folder to it
    leave(export, frontal)
    with (folder / "findings.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("AccessionNumber", "ExamDate", "Ward", "Finding"))
        table.writerows(findings(exposures, rng))


def examinations(count: int, rng: np.random.Generator) -> Iterator[Exposure]:
    """Frontal radiographs of patients, who come as often as `STUDIES` says."""
    sources = [path for path in sorted(SAMPLES.rglob("*")) if _whole(path)]
    drawn = [resize(read(path).pixels, SIDES) for path in sources]
    patient = 0
    while count:
        share = rng.uniform(0.3, 0.7)
        one, other = rng.choice(len(drawn), size=2, replace=False)
        person = share * drawn[one] + (1 - share) * drawn[other]
        born = date(1935, 1, 1) + timedelta(days=int(rng.integers(25_000)))
        day = date(2021, 1, 4) + timedelta(days=int(rng.integers(900)))
        who = Exposure(
            patient=patient,
            study=0,
            name=f"{SURNAMES[patient % len(SURNAMES)]}^{NAMES[patient % len(NAMES)]}",
            sex="FM"[patient % 2],
            born=born,
            day=day,
            finding="",
            picture=person.astype(np.float32),
        )
        for study in range(min(count, STUDIES[patient % len(STUDIES)])):
            finding, place = FINDINGS[int(rng.integers(len(FINDINGS)))]
            yield replace(
                who,
                study=study,
                day=day,
                finding=finding,
                view="PA" if rng.random() < 0.7 else "AP",
                picture=exposed(who.picture, place, rng),
            )
            day += timedelta(days=int(rng.integers(20, 200)))
            count -= 1
        patient += 1


def exposed(
    person: Picture, finding: tuple[float, float] | None, rng: np.random.Generator
) -> Picture:
    """A person's chest on another day: turned, moved, otherwise exposed, with a finding."""
    turn, scale = rng.normal(0, 0.02), 1 + rng.normal(0, 0.02)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = np.array(person.shape) / 2
    offset = middle - matrix @ (middle + rng.normal(0, 4, size=2))
    picture = affine_transform(person, matrix, offset, order=1, mode="nearest")
    if finding is not None:
        spot = np.zeros(person.shape)
        spot[tuple((np.array(finding) * person.shape).astype(int))] = 1
        spot = gaussian_filter(spot, min(person.shape) / 11)
        picture = picture + 0.15 * spot / spot.max()
    picture = np.clip(picture, 0, 1) ** np.exp(rng.normal(0, 0.08))
    return np.clip(picture + rng.normal(0, 0.004, person.shape), 0, 1).astype(np.float32)


def dataset(exposure: Exposure, number: int) -> Dataset:
    """The file that a machine and an archive made of it, with all that hospitals write there."""
    dx, inverse = number % 2 == 0, number % 3 == 0
    bits, pid = (12, 10, 14)[number % 3], f"{4_100_000 + 37 * exposure.patient}"
    uids = ["latentdp hospital", pid, str(exposure.study)]
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = (
        DigitalXRayImageStorageForPresentation if dx else ComputedRadiographyImageStorage
    )
    ds.StudyInstanceUID = generate_uid(entropy_srcs=uids)
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=[*uids, f"series {exposure.series}"])
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[*uids, f"image {exposure.series}"])
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["ORIGINAL", "PRIMARY", ""]
    ds.Modality = "DX" if dx else "CR"
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = f"{exposure.day:%Y%m%d}"
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = f"{7 + number % 12:02}{number % 60:02}00"
    ds.AccessionNumber = exposure.accession
    ds.Manufacturer, ds.ManufacturerModelName = "Invented Imaging", "Ray 3" if dx else "Plate 1"
    ds.DeviceSerialNumber, ds.StationName = f"SN-{77 + number % 3}", f"BAY{number % 3}"
    ds.InstitutionName, ds.InstitutionAddress = "St. Elsewhere", "Main Street 1, Elsewhere"
    ds.ReferringPhysicianName, ds.OperatorsName = "House^Gregory", "Smith^Pat"
    ds.StudyDescription = f"XR {exposure.part.capitalize()}"
    ds.SeriesDescription = f"{exposure.part.capitalize()} {exposure.view}"
    ds.BodyPartExamined, ds.ViewPosition = exposure.part, exposure.view
    ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = exposure.name, pid, "ELSEWHERE"
    ds.PatientBirthDate, ds.PatientSex = f"{exposure.born:%Y%m%d}", exposure.sex
    ds.PatientAge = f"{(exposure.day - exposure.born).days // 365:03}Y"
    ds.OtherPatientIDs, ds.PatientComments = f"SSN-{pid}", f"call the wife of {exposure.name}"
    ds.RequestAttributesSequence = [_item(exposure)]
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", exposure.series, 1
    ds.BurnedInAnnotation, ds.LossyImageCompression = "NO", "00"
    ds.KVP, ds.ImagerPixelSpacing = 120, [1.4, 1.4]
    if dx:
        ds.PresentationIntentType, ds.DetectorType = "FOR PRESENTATION", "DIRECT"
        ds.PixelIntensityRelationship = "LOG"
        ds.PixelIntensityRelationshipSign = 1 if inverse else -1
        ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = 0, 1, "US"
        ds.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
        ds.ImageLaterality, ds.AcquisitionContextSequence = "U", []
    private = ds.private_block(0x0011, "INVENTED PRIVATE", create=True)
    private.add_new(0x01, "LO", f"private note on {exposure.name}")
    _store(ds, 1 - exposure.picture if inverse else exposure.picture, bits, inverse)
    return _encoded(ds, SYNTAXES[number % len(SYNTAXES)])


def write(datasets: Sequence[Dataset], export: Path, seed: int) -> None:
    """The files and their DICOMDIR, in folders by patient, study and series (PS3.10)."""
    archive = FileSet()
    archive.ID = "EXPORT"
    archive.UID = generate_uid(entropy_srcs=["latentdp hospital", str(seed)])
    for each in datasets:
        archive.add(each)
    archive.write(export)


def leave(export: Path, frontal: int) -> None:
    """What else lies in such a folder: a file that broke off, what systems and viewers leave."""
    files = sorted(path for path in export.rglob("*") if path.is_file() and "IM" in path.name)
    whole = files[frontal // 2].read_bytes()
    (files[-1].parent / "IM000001").write_bytes(whole[: len(whole) // 3])
    (export / "README.TXT").write_text("Open AUTORUN.INF to see the images.\n", encoding="ascii")
    (export / "AUTORUN.INF").write_text("[autorun]\nopen=viewer.exe\n", encoding="ascii")
    (export / ".DS_Store").write_bytes(bytes(4) + b"Bud1" + bytes(120))
    (files[0].parent / f"._{files[0].name}").write_bytes(APPLE_DOUBLE)
    (files[0].parent / "Thumbs.db").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(120))


def findings(exposures: Sequence[Exposure], rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """A row for each examination but one, and for some that were not exported."""
    rows = {e.accession: (f"{e.day:%Y-%m-%d}", e.finding) for e in exposures}
    forgotten = exposures[len(exposures) // 2].accession
    for accession in sorted(rows):
        if accession != forgotten:
            day, finding = rows[accession]
            yield accession, day, ("ICU", "3B", "")[int(rng.integers(3))], finding
    for number in range(3):
        yield f"R19{9000 + number}00", "2019-05-06", "3B", "nodule"


def _whole(path: Path) -> bool:
    return path.is_file() and path.stem != "broken"


def _item(exposure: Exposure) -> Dataset:
    item = Dataset()
    item.ScheduledProcedureStepID = item.RequestedProcedureID = exposure.accession
    item.RequestedProcedureDescription = f"{exposure.part.capitalize()} of {exposure.name}"
    return item


def _store(ds: Dataset, picture: Picture, bits: int, inverse: bool) -> None:
    top = 2**bits - 1
    ds.Rows, ds.Columns = picture.shape
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME1" if inverse else "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, bits, bits - 1, 0
    ds.WindowCenter, ds.WindowWidth = (top + 1) / 2, top + 1
    ds.add_new("PixelData", "OW", np.rint(picture * top).astype("<u2").tobytes())


def _encoded(ds: Dataset, syntax: str) -> Dataset:
    """The same in a transfer syntax, as a file states it."""
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    if syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian):
        ds.file_meta.TransferSyntaxUID = syntax
    else:
        ds.compress(syntax, generate_instance_uid=False)
    return ds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="New folder to write to.")
    parser.add_argument("--images", type=int, default=40, help="Images in the export (40).")
    parser.add_argument("--seed", type=int, default=7, help="Of all that is drawn (7).")
    options = parser.parse_args()
    if options.images < FEWEST:
        parser.error(f"expected at least {FEWEST} images")
    if options.folder.exists() and any(options.folder.iterdir()):
        parser.error("expected a new or an empty folder")
    main(options.folder, options.images, options.seed)
    made = sum(path.is_file() for path in (options.folder / "export").rglob("*"))
    print(f"{options.folder}/export: {made} files; {options.folder}/findings.csv: the findings")
