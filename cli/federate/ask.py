"""``latentdp federate ask``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.errors import InputError

from .._options import JsonOption, WeightsOption
from .._panels import FIRST
from .._render import print_json, table
from .._synthesis_options import FindingsOption


def ask(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="New folder for a study, or that of one.")
    ],
    *,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            metavar="NAME",
            help="Begins: what all sites call this training.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    findings: FindingsOption = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds",
            metavar="N",
            help="Begins: how often all sites are asked. Default: 20.",
            show_default=False,
            rich_help_panel=FIRST,
        ),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option(
            "--trust",
            metavar="KEY",
            help="Public key of a site, once for each; answers that others signed are left out.",
            rich_help_panel=FIRST,
        ),
    ] = None,
    weights: WeightsOption = "cxr-adult",
    json: JsonOption = False,
) -> int:
    """Coordinate rounds: add up what sites answered, and say what to ask next. Costs nothing.

    With --study and --findings a study begins. Lay answers beside the question, under names that
    end in .answer.json, and run it again: it closes the round. After the last one it writes a
    classifier. Exit codes: 0 done, 2 wrong usage or a folder that was altered, 4 weights refused,
    5 stopped in the middle (run it again to go on).
    """
    from latentdp.federation.rounds.ask import ask as go_on
    from latentdp.federation.rounds.ask import begin, has_begun

    given = study is not None or findings is not None or rounds is not None or bool(trust)
    if has_begun(folder):
        if given:
            raise InputError("the study of DIR has begun; leave its options out to go on")
    else:
        if study is None or findings is None:
            raise InputError("expected --study and --findings: DIR holds no study to go on with")
        from latentdp.models.flow.flow import load_flow

        begin(
            folder,
            load_flow(weights, exact=False),
            study=study,
            findings=findings,
            rounds=20 if rounds is None else rounds,
            trusted=trust or (),
        )
    asked = go_on(folder)
    training = asked.training
    sites = () if training is None else training.sites
    if json:
        print_json({
            "round": asked.round,
            "question": None if asked.question is None else str(asked.question),
            "classifier": None if asked.classifier is None else str(asked.classifier),
            "left_out": dict(asked.left_out),
            "sites": [
                {"name": s.name, "key": s.key, "rounds": list(s.rounds), "as_unit": s.whole}
                for s in sites
            ],
            "guarantee": None if training is None else training.guarantee,
            "warnings": [] if training is None else list(training.warnings),
        })  # fmt: skip
        return 0
    rows = [("left out", f"{name}: {why}") for name, why in asked.left_out.items()]
    if asked.question is not None:
        rows += [
            ("round", str(asked.round)),
            ("question", f"{asked.question} (public: send it to all sites)"),
            ("answers", f"lay them in {asked.question.parent}, as NAME.answer.json"),
        ]
        table("a question to all sites", rows)
        return 0
    assert training is not None
    for site in sites:
        answered = ", ".join(map(str, site.rounds))
        rows.append(("site", f"{site.name}, key {site.key}, answered rounds {answered}"))
    rows += [("WARNING", line) for line in training.warnings]
    rows += [("guarantee", line) for line in training.guarantee.statement]
    rows.append(
        ("classifier", f"{asked.classifier} (public: latentdp weights predict reads with it)")
    )
    table("a classifier of several sites", rows)
    return 0


command = ask
