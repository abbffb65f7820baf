"""The page of an evaluation: can patients still be found, and are the images worth releasing?

It is made from the evaluation's JSON alone, so anybody can make it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp.reports.answers import answers, refuting
from latentdp.reports.figures import attack_pictures, finding_picture
from latentdp.reports.formatting import RULE, epsilon
from latentdp.reports.html import complete, write_page
from latentdp.reports.rows import Measured, by_name, is_subgroup, measure_row, outcome_row

__all__ = ["FORMAT", "MethodFacts", "check_format", "method_facts", "write_evaluation_page"]

FORMAT = 1  # of the JSON
REFUTING = 3  # most reasons in a banner
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """A method as a page tells of it, all text."""

    name: str
    title: str
    source: str
    claim: str
    epsilon: str
    guarantee: str
    covers: str


@dataclass(frozen=True)
class Beside:
    """One number of the method, and what each control reaches there; None where it has none."""

    row: Measured
    controls: list[Measured | None]


def write_evaluation_page(evaluation: Row, path: Path) -> None:
    """Writes the page of an evaluation.

    Args:
        evaluation: As `latentdp evaluate` writes it.
        path: Of the page.

    Raises:
        InputError: The evaluation is incomplete, damaged or of another version.
    """
    with complete("the evaluation"):
        check_format(evaluation, "evaluation")
        outcomes = [outcome_row(o) for o in evaluation["outcomes"]]
        measures = evaluation["utility"]
        facts = method_facts(evaluation["method"])
        write_page(
            path,
            "evaluation.html.j2",
            method=facts,
            version=str(evaluation["version"]),
            banners=_banners(evaluation),
            answers=answers(evaluation),
            lines=list(map(_text, evaluation["verdict"].get("lines") or ())),
            claims=evaluation["verdict"].get("claims") or [],
            headline=[row for row in outcomes if row.headline] or outcomes,
            headline_utility=[measure_row(m) for m in measures if m["headline"]],
            pictures=attack_pictures("attack", *_drawn(evaluation)),
            findings=finding_picture("utility", measures),
            controls=[method_facts(c["method"]) for c in evaluation.get("controls") or ()],
            beside=_beside(evaluation),
            attacks=by_name(outcomes),
            utilities=by_name(measure_row(m) for m in measures if not is_subgroup(m)),
            subgroups=[measure_row(m) for m in measures if is_subgroup(m)],
            metrics=_metrics([*outcomes, *map(measure_row, measures)]),
            unable=[(_text(u["name"]), _text(u["why"])) for u in evaluation.get("unable") or ()],
            setup=_setup(evaluation),
            rule=RULE,
        )


def check_format(data: Row, kind: str) -> None:
    """Refuses what is no JSON of this kind and version.

    Raises:
        ValueError: It is something else.
    """
    if data["kind"] != kind or data["format"] != FORMAT:
        raise ValueError(f"expected the kind {kind} and format {FORMAT}")


def method_facts(method: Row) -> MethodFacts:
    """A method's entry as text."""
    guarantee = method.get("guarantee")
    covers = bool(method["protects_all"])
    return MethodFacts(
        name=_text(method["name"]),
        title=_text(method["title"]),
        source=_text(method.get("source") or ""),
        claim=_text(method.get("claim") or ""),
        epsilon=epsilon(guarantee),
        guarantee="none" if guarantee is None else _text(guarantee["text"]),
        covers="yes: no attack may beat its ceiling"
        if covers
        else "no: there is no ceiling for an attack",
    )


def _drawn(evaluation: Row) -> tuple[Sequence[Row], Sequence[Row], Row | None]:
    method = evaluation["method"]
    claimed = method.get("guarantee") if method["protects_all"] else None
    return evaluation["outcomes"], evaluation.get("controls") or (), claimed


def _banners(evaluation: Row) -> list[tuple[str, str]]:
    """What must be seen first: a level and a text."""
    lines = refuting(evaluation)
    more = f"; and {len(lines) - REFUTING} more, see below" if len(lines) > REFUTING else ""
    found = (
        [("danger", f"A CLAIM IS REFUTED: {'; '.join(lines[:REFUTING])}{more}")] if lines else []
    )
    found += [
        ("caution", f"NOT SUPPORTED: {claim['claim']} (threshold {claim['threshold']}, measured "
         f"{claim['measured']})")
        for claim in evaluation["verdict"].get("claims") or ()
        if not claim["holds"]
    ]  # fmt: skip
    if evaluation.get("quick"):
        found.append(("caution", "QUICK: a first look with few restarts; too weak to rely on"))
    return found


def _beside(evaluation: Row) -> list[Beside]:
    """The numbers of the summary with the same of every control."""
    controls = evaluation.get("controls") or ()
    found = []
    for kind, row_of, keys in (
        ("outcomes", outcome_row, ("attack", "setting", "metric")),
        ("utility", measure_row, ("utility", "setting", "subject", "metric")),
    ):
        tables = [{_key(r, keys): r for r in c.get(kind) or ()} for c in controls]
        for row in evaluation[kind]:
            if row["headline"]:
                same = [table.get(_key(row, keys)) for table in tables]
                found.append(Beside(row_of(row), [s and row_of(s) for s in same]))
    return [row for row in found if any(row.controls)]


def _key(row: Row, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_text(row[key]) for key in keys)


def _metrics(rows: Sequence[Measured]) -> list[tuple[str, str]]:
    """Each metric on the page with what it says."""
    return list({row.metric: row.metric_meaning for row in rows if row.metric_meaning}.items())


def _setup(evaluation: Row) -> list[tuple[str, str]]:
    """How it was measured: names and values, as far as they are told."""
    told = [("seed", evaluation.get("seed"))]
    told += [(f"effort: {k}", v) for k, v in (evaluation.get("effort") or {}).items()]
    for key, whom in (("cohort", "released people"), ("practice", "people to practise on")):
        told += [(f"{whom}: {k}", v) for k, v in (evaluation.get(key) or {}).items()]
    seconds = evaluation.get("seconds")
    if seconds is not None:
        told.append(
            ("time", f"{seconds / 60:.1f} minutes" if seconds >= 90 else f"{seconds:.0f} s")
        )
    return [(name.replace("_", " "), _value(value)) for name, value in told if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " x ".join(map(_value, value))
    return f"{value:,}" if isinstance(value, int) and abs(value) < 10**15 else str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got a {type(value).__name__}")
    return value
