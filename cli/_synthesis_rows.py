"""What `synthesize` shows of what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from latentdp.privacy.rounding import printed
from latentdp.reports.compliance import COMPLIANCE
from latentdp.reports.guarantee_words import EARLIER
from latentdp.reports.release_card import CARD, IMAGES
from latentdp.reports.release_contents import GENERATOR, PAGE

if TYPE_CHECKING:
    from latentdp.synthesis.request import SynthesisRequest
    from latentdp.synthesis.summary import SynthesisSummary
    from latentdp.vault.spending import Spent


def synthesis_values(
    request: SynthesisRequest, summary: SynthesisSummary, *, dry_run: bool
) -> dict[str, object]:
    """For ``--json``."""
    values = learnt_values(summary, dry_run=dry_run)
    if dry_run:
        return values
    return values | {
        "release": str(request.out / CARD),
        "vault": str(request.place),
        "report": str(summary.report),
        "images": summary.images,
        "findings": list(summary.findings),
        "warnings": list(summary.warnings),
        "already": summary.already,
    }


def learnt_values(summary: SynthesisSummary, *, dry_run: bool) -> dict[str, object]:
    """The part of it that is about the cohort."""
    values: dict[str, object] = {
        "dry_run": dry_run,
        "patients": summary.patients,
        "files": summary.files,
        "passed_over": summary.passed_over,
        "quarantined": dict(summary.quarantined),
        "epsilon_charged_now": summary.charged,
        **standing_values(summary.standing),
        "guarantee": summary.guarantee,
    }
    if dry_run:
        refused = summary.refused.items()
        values["refused"] = [{"file": f, "reason": r.reason} for f, r in refused]
    return values


def synthesis_rows(
    request: SynthesisRequest, summary: SynthesisSummary, *, dry_run: bool
) -> list[tuple[str, str]]:
    """For people."""
    rows = learnt_rows(summary, dry_run=dry_run)
    if dry_run:
        return rows
    out = request.out
    return [
        *rows,
        ("findings", "; ".join(summary.findings) or "none could be told"),
        ("images", f"{summary.images} in {out / IMAGES}"),
        ("generator", f"{out / GENERATOR} (public: draws more at no cost)"),
        ("card", f"{out / CARD} (public)"),
        ("page", f"{out / PAGE} (public: open it in a browser)"),
        ("compliance", f"{out / COMPLIANCE} (public: each action beside its clauses)"),
        ("vault", f"{request.place} (PRIVATE: key, ledger, reports; do not release it)"),
        ("report", str(summary.report)),
    ]


def learnt_rows(summary: SynthesisSummary, *, dry_run: bool) -> list[tuple[str, str]]:
    """The part of it that is about the cohort."""
    guarantee = summary.guarantee
    assert guarantee is not None
    rows = [
        ("patients", f"{summary.patients}, of whom there are {summary.files} files"),
        ("passed over", f"{summary.passed_over} files: equal ones, or too many of a patient"),
    ]
    rows += [("quarantined", f"{n} {reason}") for reason, n in summary.quarantined.items()]
    verb = "would charge" if dry_run else "charged"
    rows.append((verb, f"epsilon {printed(summary.charged)} to every patient"))
    rows.append(("would stand at" if dry_run else "stands at", standing_words(summary.standing)))
    rows += [("WARNING", line) for line in summary.warnings]
    rows += [("guarantee", line) for line in guarantee.statement]
    if dry_run:
        refused = summary.refused.items()
        rows += [("would be quarantined", f"{name}: {r.reason}") for name, r in refused]
    return rows


def standing_values(most: Spent) -> dict[str, object]:
    """As of `latentdp ledger --json`: None for infinity, and why."""
    values: dict[str, object] = {"most_spent": most.epsilon, "most_delta": most.delta}
    if most.unprotected:
        values |= {
            "most_spent": None,
            "most_spent_on_noised_part": most.noised_epsilon,
            "unprotected": [EARLIER],
        }
    return values


def standing_words(most: Spent) -> str:
    """The same in words."""
    exactly = f" ({EARLIER}; {printed(most.noised_epsilon)} on the noised part)"
    return (
        f"epsilon {printed(most.epsilon)}{exactly if most.unprotected else ''}, "
        f"delta {printed(most.delta)} at most of one patient, with all else from this vault"
    )
