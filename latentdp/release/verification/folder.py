"""Whether what lies beside a card is what it is about: files, their headers, labels and page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from latentdp.core.documents import from_json
from latentdp.core.filesystem import digest
from latentdp.core.system import file_key
from latentdp.data import radiograph
from latentdp.data.label_space import LabelSpace
from latentdp.data.labels import read_labels
from latentdp.data.splits import Splits
from latentdp.data.synthetic import TITLES
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.plan_description import LabelDescription
from latentdp.privacy.rounding import EXACTLY, FEW, printed
from latentdp.recipe import Recipe
from latentdp.release.table_of_release import table_of_release
from latentdp.release.verification.check import Check, at_least, equal
from latentdp.release.verification.claimed_card import ClaimedCard, conditioning
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import LABELS, PAGE, contents_of, image_files

__all__ = ["HeaderClaims", "folder_checks", "stated_card"]

ROUNDING = 2e-5  # relative: of an epsilon that another machine printed
_NUMBER = r"(infinity|\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_EPSILON, _DELTA = re.compile(f"epsilon {_NUMBER}"), re.compile(f"delta {_NUMBER}")
_DIGESTS = re.compile(r"weights sha256 ([0-9a-f]{16}), recipe ([0-9a-f]{16})\.")
_PAGE_OF = re.compile(
    r"<code>release\.json</code>[^<]{1,80}<code>([0-9a-f]{64})</code>"  # "with sha256", or so
)
_PATIENT = re.compile(r"\(0010,0020\) PatientID|(PNG|NPZ) PatientID")
_SAYS = re.compile(r"\(0008,2111\) DerivationDescription|(PNG|NPZ) Description")
_SYNTHETIC = {("(0008,001C) SyntheticData", "YES")}
_TITLED = {"PNG Title", "NPZ Title"}


@dataclass(frozen=True, kw_only=True)
class HeaderClaims:
    """What the header of each output must say, as `latentdp.release.describe.derivation` does.

    Attributes:
        recipe: Of the release.
        image: The guarantee of an image, without what the layout passes on.
    """

    recipe: Recipe
    image: Guarantee

    def stand_in(self, text: str) -> bool:
        """Whether a header's text states digests, epsilon and delta of this recipe, no others."""
        digests = _DIGESTS.search(text)
        ours = self.recipe.weights_sha256[:16], self.recipe.digest[:16]
        noised = self.image.noised_part
        return (
            digests is not None
            and digests.groups() == ours
            # Of the whole and of what is noised. A layout may add infinity for the whole.
            and _stated(_EPSILON, text, [self.image.epsilon, noised.epsilon], also=[inf])
            and _stated(_DELTA, text, [noised.delta] if noised.delta else [], also=[])
        )


def folder_checks(out: Path, card: ClaimedCard, header: HeaderClaims) -> list[Check]:
    """All that can be compared without the vault.

    Args:
        out: The release folder, with images.
        card: Its card.
        header: What the images must say.
    """
    files = image_files(out)
    headers = [_header(path) for path in files]
    agreeing = sum(header.stand_in(said.derivation) for said in headers)
    patients = Counter(said.patient for said in headers if said.patient)
    checks = [
        equal("number of images", card.counts.images_in_release, len(files)),
        equal("images whose headers state this epsilon and recipe", len(files), agreeing),
        at_least(
            "images of a patient, by the headers",
            card.guarantee.patient.images_in_this_release,
            max(patients.values(), default=0),
        ),
    ]
    if header.recipe.profile.mark:  # which 0.1 never wrote
        synthetic = sum(said.synthetic for said in headers)
        checks.append(equal("images that say that they are synthetic", len(files), synthetic))
    if card.splits:
        checks.append(_table(out, card))
    if card.contents_sha256 != "":
        checks.append(equal("digest of all files", card.contents_sha256, contents_of(out)))
    if (out / LABELS).exists():
        checks.append(_labels(out, card, files))
    if (out / PAGE).exists():
        checks.append(equal(f"card of {PAGE}", stated_card(out / PAGE), digest(out / CARD)))
    return checks


def stated_card(page: Path) -> str | None:
    """The SHA-256 of the card that a page, in whatever language, was made from; None for none."""
    stated = _PAGE_OF.search(page.read_text(encoding="utf-8", errors="replace"))
    return None if stated is None else stated[1]


@dataclass(frozen=True, kw_only=True)
class _Header:
    """What an output says of itself; empty where it says nothing.

    Attributes:
        derivation: How it was made.
        patient: Pseudonym; a picture of 0.1 has none.
        synthetic: Whether it says that it is.
    """

    derivation: str = ""
    patient: str = ""
    synthetic: bool = False


def _header(path: Path) -> _Header:
    try:
        elements = radiograph.elements(path)
    except (UnsupportedInstance, OSError):
        return _Header()
    return _Header(
        derivation=next((text for place, text in elements if _SAYS.fullmatch(place)), ""),
        patient=next((text for place, text in elements if _PATIENT.fullmatch(place)), ""),
        synthetic=any(
            (place, text) in _SYNTHETIC or (place in _TITLED and text in TITLES)
            for place, text in elements
        ),
    )


def _stated(
    pattern: re.Pattern[str], text: str, expected: Sequence[float], also: Sequence[float]
) -> bool:
    """Whether a text states the expected numbers, and no others but those of ``also``."""
    stated = [float(number) for number in pattern.findall(text)]
    return all(any(_close(a, b) for a in stated) for b in expected) and all(
        any(_close(a, b) for b in (*expected, *also)) for a in stated
    )


def _close(stated: float, number: float) -> bool:
    """Whether it is what a header states of a number: with few digits, or six until 0.1."""
    shown = (float(printed(number, digits)) for digits in (FEW, EXACTLY))
    return any(stated == one or abs(stated - one) <= ROUNDING * one < inf for one in shown)


def _table(out: Path, card: ClaimedCard) -> Check:
    """Whether the tables of images say what files, labels and card do."""
    claim = "tables that differ from files, labels and card"
    try:
        space = _space(card)
        splits = Splits(tuple(card.splits))
        named = read_labels(out / LABELS, space) if (out / LABELS).exists() else {}
    except (InputError, TypeError, ValueError):
        return Check(claim=claim, claimed=card.splits, found="no such splits or labels", ok=False)
    table = table_of_release(
        out,
        {name: space.name(label) for name, label in named.items()},
        released=from_json(card.plan["label"], LabelDescription, "the label of the card"),
        space=space,
        splits=splits,
    )
    return equal(claim, table.differences(out), [])


def _labels(out: Path, card: ClaimedCard, files: Sequence[Path]) -> Check:
    """Each row names an image of the folder and a class of the weights, if any are released."""
    images = {file_key(str(path.relative_to(out / IMAGES))) for path in files}
    try:
        named = read_labels(out / LABELS, _space(card))
    except InputError:
        return Check(claim="labels", claimed=LABELS, found="not a table of labels", ok=False)
    released = card.plan["label"]["release"] != "none"
    return equal("labels", len(named), len(named.keys() & images) if released else 0)


def _space(card: ClaimedCard) -> LabelSpace:
    """What a released label may be."""
    if not card.image.attributes:
        return LabelSpace.of_classes(map(str, card.image.classes))
    released = card.recipe.get("release_findings", ())
    return LabelSpace(conditioning(card.image)).only(map(str, released))
