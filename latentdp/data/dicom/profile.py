"""The confidentiality profile of a release: what DICOM headers keep, and the form of the pixels.

PS3.15 E.2 has a Basic Profile, under which nothing of the source's header stays, and options that
keep something. What an option keeps goes past the mechanism: no guarantee covers it, and
`Profile.unprotected` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from latentdp.errors import InputError

__all__ = ["BASIC", "DATES", "FORMATS", "MAX_SIZE", "SYNTAXES", "Claim", "Profile"]

MAX_SIZE = 1024
MAX_EVIDENCE = 1000
DATES = (  # what `Profile.shift_dates` releases exactly
    "dates of study, series, acquisition and content, moved by one secret number of days per "
    "patient"
)
SYNTAXES = ("explicit", "jpeg-ls", "jpeg-2000")
FORMATS = ("dicom", "png", "npz")


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim about the pixels, which PS3.15 E.3 allows only with evidence.

    Attributes:
        code: Of CID 7050 in scheme DCM, such as "113101".
        meaning: What the code stands for.
        evidence: Who looked, or what was measured.
    """

    code: str
    meaning: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The Basic Profile (PS3.15 E.2, 113100) and the options added to it.

    Attributes:
        shift_dates: Keep dates, moved back by a secret number of days per patient (113107).
        retain_characteristics: Keep Patient's Sex and Age (113108).
        retain_device: Keep Manufacturer and product line, if they are known ones (113109).
        accept_burned_in: A person has looked at the pixels of every input: take those that are
            marked as holding text, and claim Clean Pixel Data (113101).
        all_chests: A person says that every input shows a chest: take those whose part of the
            body is named by a term that is not known.
        all_frontal: A person says that every input is a frontal view.
        evidence: What an evaluation of this very recipe measured, for the claim of Clean
            Recognizable Visual Features (113102); empty for no claim.
        size: Pixels on a side of an output, at most 1,024; None for the flow's own.
        detail: Draw the detail of outputs that are larger than the flow's own images, as far as
            the weights can; it follows the private image alone. False enlarges smoothly.
        transfer_syntax: Of DICOM outputs, one of `SYNTAXES`; all three are lossless.
        file_format: Of outputs, one of `FORMATS`; empty for DICOM where the input is that, and
            PNG where it is a picture.
        mark: Write SYNTHETIC into a corner of each output; see `latentdp.data.synthetic`.
    """

    shift_dates: bool = False
    retain_characteristics: bool = False
    retain_device: bool = False
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    evidence: str = ""
    size: int | None = None
    detail: bool = False
    transfer_syntax: str = SYNTAXES[0]
    file_format: str = ""
    mark: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, bool) and not isinstance(value, bool):
                raise InputError(f"expected {field.name} to be true or false, got another value")
        if not (isinstance(self.evidence, str) and len(self.evidence) <= MAX_EVIDENCE):
            raise InputError(f"expected evidence as text of at most {MAX_EVIDENCE} characters")
        if self.size is not None and not (type(self.size) is int and 1 <= self.size <= MAX_SIZE):
            raise InputError(f"expected a size from 1 to {MAX_SIZE} pixels, got {self.size}")
        if self.transfer_syntax not in SYNTAXES:
            raise InputError(
                f"expected the transfer syntax to be one of {', '.join(SYNTAXES)}, "
                f"got {self.transfer_syntax!r}"
            )
        if self.file_format not in ("", *FORMATS):
            raise InputError(f"expected the format to be one of {', '.join(FORMATS)}, got another")
        if self.file_format in FORMATS[1:]:
            self._check_headerless()

    def _check_headerless(self) -> None:
        """Refuses options of a header where there is none."""
        headers = ("shift_dates", "retain_characteristics", "retain_device")
        of_dicom = [name for name in headers if getattr(self, name)]
        if self.transfer_syntax != SYNTAXES[0]:
            of_dicom.append("transfer_syntax")
        if of_dicom:
            option = of_dicom[0].replace("_", "-")
            raise InputError(f"--{option} needs DICOM outputs, got --format {self.file_format}")

    @property
    def min_size(self) -> int:
        """Fewest pixels on a side; the encoder of JPEG 2000 halves an image five times."""
        return 32 if self.transfer_syntax == "jpeg-2000" else 1

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of a source's header is released; epsilon is infinity for it."""
        kept = {
            DATES: self.shift_dates,
            "the patient's sex, and age up to 90": self.retain_characteristics,
            "maker and product line of the device": self.retain_device,
        }
        return tuple(what for what, is_kept in kept.items() if is_kept)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What is claimed of the pixels, each with its evidence."""
        reviewed = Claim(
            code="113101",
            meaning="Clean Pixel Data Option",
            evidence="whoever released these images states (--accept-burned-in) that a person "
            "looked at the pixels of every input and found no text that identifies the patient",
        )
        measured = Claim(
            code="113102",
            meaning="Clean Recognizable Visual Features Option",
            evidence=self.evidence,
        )
        both = ((reviewed, self.accept_burned_in), (measured, bool(self.evidence)))
        return tuple(claim for claim, holds in both if holds)


BASIC = Profile()  # nothing retained
