"""Recomputes what a release card claims, and compares it with what lies beside it.

No weights and no vault are needed. The recipe on the card, whose digest every output carries, says
what was to be done; the plan says with which parameters; the guarantee follows from these, and
everything else that the card claims from the guarantee. Files, headers, labels and page must agree
with it. Nothing can tell whether the images were made as the card says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from msgspec import UNSET

from latentdp.core.documents import from_json, read_json
from latentdp.core.plugins import provider
from latentdp.errors import InputError
from latentdp.privacy.plan import Plan
from latentdp.recipe import Recipe
from latentdp.release.verification.check import Check, equal
from latentdp.release.verification.claimed_card import ClaimedCard, ClaimedPlan
from latentdp.release.verification.compliance import compliance_checks
from latentdp.release.verification.folder import HeaderClaims, folder_checks
from latentdp.release.verification.guarantee import guarantee_checks
from latentdp.release.verification.recipe import recipe_checks, recipe_of
from latentdp.reports.compliance import COMPLIANCE, ComplianceManifest
from latentdp.reports.compliance_actions import release_manifest
from latentdp.reports.compliance_clauses import CardFacts
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import LABELS, PAGE

__all__ = ["Check", "Verification", "verify", "verify_card"]

NOT_CHECKED = (
    "whether the images were made as the card says: noise leaves no proof of how it was drawn, "
    "and who alters images, card and page together is not found out",
    "what only the vault knows: other releases of a patient, which inputs there were, and "
    "whether two of them show one person",
    "what the weights learnt from",
)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of the claims of a release card.

    Attributes:
        checks: All that were checked, in the order in which one follows from the other.
        warnings: Those of the card, for a reader.
        not_checked: What cannot be checked, or could not here, in words.
    """

    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    not_checked: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether all claims hold that were checked."""
        return all(check.ok for check in self.checks)


def verify(release: str | Path) -> Verification:
    """Recomputes what a release claims, and compares it with the files beside its card.

        >>> import latentdp
        >>> _ = latentdp.privatize_folder("samples/cxr/clinic-a", "release")
        >>> latentdp.verify("release").ok
        True

    Args:
        release: The release folder, or its ``release.json``.

    Raises:
        InputError: There is no release card of this tool, or it lacks what the checks need.
    """
    path = Path(release)
    file = path / CARD if path.is_dir() else path
    card = _Card(read_json(file, f"a release card ({CARD}, or the folder of a release)"))
    checks, out = card.checks(), file.parent
    beside = file.name == CARD and (out / IMAGES).is_dir()
    if beside:
        checks += folder_checks(out, card.claimed, card.header)
        checks += compliance_checks(out, card.claimed.compliance, card.manifest)
    stated = card.claimed.warnings
    lines = stated if isinstance(stated, list) else []
    return Verification(
        checks=tuple(checks),
        warnings=tuple(map(str, lines)),
        not_checked=(
            *NOT_CHECKED,
            *card.from_outside,
            *_missing(out, card.claimed, beside=beside),
        ),
    )


def verify_card(card: object) -> list[Check]:
    """All checks of a card alone, in the order in which one follows from the other.

    Args:
        card: JSON values of ``release.json``, whoever wrote them.

    Raises:
        InputError: Not a release card of this tool, or one without what the checks need.
    """
    return _Card(card).checks()


class _Card:
    """A card, with the plan and the recipe from which all else on it must follow."""

    def __init__(self, values: object) -> None:
        if not isinstance(values, dict) or values.get("tool") != "latentdp":
            raise InputError("expected a release card of latentdp (release.json)")
        self._values = values
        self.claimed = from_json(values, ClaimedCard, "the release card")
        with _whole():
            self._described = from_json(
                self.claimed.plan, ClaimedPlan, "the plan of the release card"
            )
            self._plan: Plan = Plan.from_card(self._described)
            self._recipe: Recipe = recipe_of(self.claimed)

    def checks(self) -> list[Check]:
        with _whole():
            return [
                equal("status", self.claimed.status, "complete"),
                *recipe_checks(self.claimed, self._described, self._plan, self._recipe),
                *guarantee_checks(self.claimed, self._described, self._plan, self._recipe),
            ]

    def manifest(self) -> ComplianceManifest:
        """What was done, as far as it follows from the card."""
        return release_manifest(from_json(self._values, CardFacts, "the release card"))

    @property
    def from_outside(self) -> tuple[str, ...]:
        """What latentdp itself cannot vouch for, as it is another package's."""
        named = [(str(b.mechanism), b.provider) for b in self._described.blocks]
        return tuple(
            f"what the plug-in {name} says of itself: the card was made with {there}, and "
            f"{provider('mechanisms', name) or 'latentdp'} recomputed its guarantee here"
            for name, there in named
            if there is not UNSET
        )

    @property
    def header(self) -> HeaderClaims:
        """What each image must say of itself."""
        image = self._plan.guarantee.beside(*self._recipe.unprotected)
        return HeaderClaims(recipe=self._recipe, image=image)


@contextmanager
def _whole() -> Iterator[None]:
    """Where a value is such that nothing follows from it, there is no card."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise InputError("the release card is incomplete or of another version") from error
    except RecursionError:
        raise InputError("the release card is nested too deeply") from None


def _missing(out: Path, card: ClaimedCard, *, beside: bool) -> list[str]:
    """What could not be checked here."""
    if not beside:
        return [f"images, {LABELS} and {PAGE}: they do not lie beside the card"]
    lines = []
    if card.contents_sha256 == "":
        lines.append(
            "which files the card is about: it is of version 0.1, and does not say; who gives the "
            "same `latentdp privatize` again has it written anew, and nothing is charged"
        )
    if card.compliance == "":
        lines.append(f"what was done, clause by clause: the card names no {COMPLIANCE}")
    if card.evaluation is not None:
        lines.append("what the card quotes of an evaluation: only its author has that, signed")
    if (out / PAGE).exists():
        lines.append(f"the words of {PAGE}: `latentdp report` makes it again from the card")
    else:
        lines.append(f"whether the card was altered since {PAGE} was made: there is none")
    return lines
