"""``latentdp vote answer``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.core import plugins
from latentdp.privacy.rounding import printed
from latentdp.reports.answers_card import ANSWERS, CARD, STUDENT

from .. import _complete
from .._options import AllChestsOption, AllFrontalOption, BurnedInOption, JsonOption
from .._panels import FIRST, GUARANTEE
from .._render import print_json, share_progress, table
from .._run_options import LedgerOption
from .._synthesis_options import BudgetOption, DeltaOption, DryRunOption, EpsilonOption
from .._synthesis_rows import standing_values, standing_words
from ._options import NameOption

if TYPE_CHECKING:
    from latentdp.synthesis.voting.answer import AnswerSummary

KIND = "aggregators"


def answer(
    queries: Annotated[
        Path, typer.Argument(metavar="QUERIES", help="Folder of public images to ask about.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the answers.")],
    vault: Annotated[
        Path,
        typer.Option(
            "--vault",
            metavar="DIR",
            help="Private folder that latentdp vote train made.",
            rich_help_panel=FIRST,
        ),
    ],
    name: NameOption = "teachers",
    epsilon: EpsilonOption = 2.0,
    delta: DeltaOption = None,
    questions: Annotated[
        int,
        typer.Option(
            "--questions",
            metavar="N",
            help="Images to ask about. All share the budget: more questions, noisier answers.",
            rich_help_panel=FIRST,
        ),
    ] = 100,
    ballot: Annotated[
        str,
        typer.Option(
            "--ballot",
            metavar="NAME",
            help="What is voted on: one finding of all, or each by itself, which costs more.",
            rich_help_panel=GUARANTEE,
        ),
    ] = "one",
    aggregator: Annotated[
        str,
        typer.Option(
            "--aggregator",
            metavar="NAME",
            autocompletion=_complete.aggregators,
            help=f"How votes are answered, one of: {', '.join(plugins.names(KIND))}.",
            rich_help_panel=GUARANTEE,
        ),
    ] = "exponential",
    site: Annotated[
        str,
        typer.Option(
            "--site",
            metavar="NAME",
            help="What the site calls itself, in public, for latentdp vote combine.",
            rich_help_panel=FIRST,
        ),
    ] = "",
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    budget: BudgetOption = None,
    ledger: LedgerOption = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
) -> int:
    """Ask the voters of a vault about public images, and teach a student by their noisy answers.

    Every patient behind the voters is charged. Exit codes: 0 done, 2 wrong usage, 3 over the
    budget (nothing was charged), 4 voters damaged, 5 stopped in the middle (run it again).
    """
    from latentdp.synthesis.voting.answer import answer as ask
    from latentdp.synthesis.voting.answer import preview_answer
    from latentdp.synthesis.voting.answer_request import AnswerRequest

    request = AnswerRequest(
        queries=queries,
        out=out,
        vault=vault,
        name=name,
        epsilon=epsilon,
        delta=delta,
        aggregator=aggregator,
        ballot=ballot,
        questions=questions,
        site=site,
        accept_burned_in=accept_burned_in,
        all_chests=all_chests,
        all_frontal=all_frontal,
        budget=budget,
        ledger=ledger,
    )
    with share_progress("asking", shown=not json) as advance:
        summary = (preview_answer if dry_run else ask)(request, progress=advance)
    if json:
        print_json(_values(summary, out, dry_run=dry_run))
    else:
        title = "answers" + (", finished before" if summary.already else "")
        table("dry run: nothing was written" if dry_run else title,
              _rows(summary, out, vault, dry_run=dry_run))  # fmt: skip
    return 0


def _values(summary: AnswerSummary, out: Path, *, dry_run: bool) -> dict[str, object]:
    values: dict[str, object] = {
        "dry_run": dry_run,
        "patients": summary.patients,
        "questions": summary.questions,
        "elections": summary.elections,
        "voters": summary.voters,
        "sure_lead": summary.sure_lead,
        "epsilon_charged_now": summary.charged,
        **standing_values(summary.standing),
        "guarantee": summary.guarantee,
    }
    if summary.card is None:
        return values
    return values | {
        "card": str(out / CARD),
        "answers": str(out / ANSWERS),
        "student": str(out / STUDENT),
        "name": summary.card.name,
        "key": summary.card.key,
        "report": str(summary.report),
        "warnings": list(summary.warnings),
        "already": summary.already,
    }


def _rows(
    summary: AnswerSummary, out: Path, vault: Path, *, dry_run: bool
) -> list[tuple[str, str]]:
    verb = "would charge" if dry_run else "charged"
    rows = [
        ("questions", f"{summary.questions}, in {summary.elections} elections"),
        (
            "voters",
            f"{summary.voters}; who leads one rival by {summary.sure_lead} votes wins with 95 %",
        ),
        (verb, f"epsilon {printed(summary.charged)} to each of {summary.patients} patients"),
        ("would stand at" if dry_run else "stands at", standing_words(summary.standing)),
    ]
    if summary.sure_lead > summary.voters:
        rows.append((
            "note",
            "no lead of so many voters can be that sure: ask less, or have more teachers",
        ))  # fmt: skip
    rows += [("WARNING", line) for line in summary.warnings]
    rows += [("guarantee", line) for line in summary.guarantee.statement]
    if summary.card is None:
        return rows
    rows += [
        ("answers", f"{out / ANSWERS} (public)"),
        ("student", f"{out / STUDENT} (public: a reader that learnt from these answers)"),
        ("card", f"{out / CARD} (public)"),
        ("key", f"{summary.card.key} (public: tell it to the others by another way)"),
        ("vault", f"{vault} (PRIVATE: key, ledger, voters; do not release it)"),
        ("report", f"{summary.report} (PRIVATE: how far voters agreed)"),
    ]
    return rows


command = answer
