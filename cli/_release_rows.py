"""What a run of `privatize` is told about, in rows of a table and in JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentdp.privacy.randomized_response import Unlabelled
from latentdp.privacy.rounding import printed

if TYPE_CHECKING:
    from latentdp.metrics.fit import Fit
    from latentdp.privacy.guarantee import Guarantee
    from latentdp.release.forecast import Forecast
    from latentdp.release.summary import Summary

__all__ = [
    "charge",
    "count_rows",
    "fit_values",
    "forecast_rows",
    "misplaced_vault",
    "noised_part_alone",
    "open_vault",
]


def misplaced_vault(vault: Path, out: Path) -> list[tuple[str, str]]:
    """Says that a vault lies where it may be handed over with the release."""
    from latentdp.vault.default_vault import beside

    if vault.resolve() != beside(out):
        return []
    advice = "move it elsewhere, and name it with --vault"
    return [("WARNING", f"the vault lies beside the release, where version 0.1 made it: {advice}")]


def open_vault(vault: Path) -> list[tuple[str, str]]:
    """Says that others may be able to enter a vault, where the system could not close it."""
    from latentdp.core.system import closes_new_folders, is_private

    if not is_private(vault):
        reason = "its file system keeps no permissions"
    elif not closes_new_folders():
        reason = "this version of Python closes no folder on Windows; 3.11.10 and 3.12.4 do"
    else:
        return []
    advice = "keep it where only you can enter, and name that place with --vault"
    return [("WARNING", f"others may be able to read the vault: {reason}; {advice}")]


def count_rows(summary: Summary, verb: str) -> list[tuple[str, str]]:
    allowed = summary.budget.epsilon
    most = "" if allowed is None else f" of at most {printed(allowed)}"
    images = f"{summary.most_images} image{'' if summary.most_images == 1 else 's'}"
    spent = f"epsilon {printed(summary.patient_epsilon)}{most} ({images})"
    rows = [
        (
            "patients",
            f"{summary.patients}; most spent on one: {spent}{noised_part_alone(summary.patient)}",
        ),
        (verb, str(summary.released)),
    ]
    if summary.already:
        rows.append(("already there", f"{summary.already} (not charged again)"))
    if summary.duplicates:
        rows.append(("duplicates", f"{summary.duplicates} (same picture as another input)"))
    if summary.beyond:
        rows.append(("left out", f"{summary.beyond} (beyond images per patient)"))
    for reason, count in sorted(summary.quarantined.items()):
        rows.append(("quarantined", f"{count} {reason}"))
    if summary.unlabelled:
        rows.append(("without a label", f"{summary.unlabelled} of the inputs"))
    rows += fit_row(summary.fit)
    return rows


def fit_row(fit: Fit) -> list[tuple[str, str]]:
    """How well the weights fit, if they do not fit well."""
    return [("POOR FIT", fit.words)] if fit.poor else []


def fit_values(fit: Fit) -> dict[str, float | bool]:
    """How well the weights fit, for programs."""
    return {"odd": fit.odd, "rated": fit.rated, "share": fit.share, "poor": fit.poor}


def forecast_rows(forecast: Forecast, unlabelled: Unlabelled) -> list[tuple[str, str]]:
    """What becomes of the inputs that are neither usable nor quarantined, and whose they are."""
    from latentdp.release.option_costs import shares

    summary = forecast.summary
    rows = []
    if summary.duplicates:
        rows.append(("duplicates", f"{summary.duplicates} (same picture as another input)"))
    if summary.beyond:
        rows.append(("would be left out", f"{summary.beyond} (beyond images per patient)"))
    if summary.unlabelled and unlabelled is Unlabelled.REFUSE:
        have = "input has" if summary.unlabelled == 1 else "inputs have"
        missing = f"{summary.unlabelled} {have} no label: complete the list, or say with "
        rows.append(("WOULD BE REFUSED", missing + "--unlabelled what becomes of them"))
    elif summary.unlabelled:
        rows.append(("without a label", f"{summary.unlabelled} of the inputs"))
    rows += [("without a label", name) for name in forecast.unlabelled]
    rows += fit_row(summary.fit)
    rows += [
        ("odd", f"{name}: unlike what the weights learnt from") for name in forecast.odd or ()
    ]
    spread = forecast.images_per_patient
    by_number = ", ".join(f"{p} with {n} image{'s' * (n > 1)}" for n, p in spread.items())
    rows.append(("patients", f"{sum(spread.values())}" + (by_number and f": {by_number}")))
    if summary.budget.images is None:
        whole, each = sum(n * p for n, p in spread.items()), summary.guarantee.noised_part
        rows += [
            (
                f"--images-per-patient {k}",
                f"would release {images} of {whole} images, at most epsilon "
                f"{printed(each.for_patient(k).epsilon)} of a patient"
                f"{noised_part_alone(summary.guarantee)}",
            )
            for k, images in shares(spread).items()
        ]
    return rows


def noised_part_alone(guarantee: Guarantee) -> str:
    """What a sum of epsilons does not tell where something is, or was, released exactly."""
    if not guarantee.unprotected:
        return ""
    return " for the noised part alone; of the whole it is infinity"


def charge(name: str, summary: Summary) -> dict[str, float | None]:
    """What a run costs, under a name; None for infinity, which the noised part does not tell."""
    if not summary.unprotected:
        return {f"epsilon_{name}": summary.spent}
    return {f"epsilon_{name}": None, f"epsilon_of_noised_part_{name}": summary.spent}
