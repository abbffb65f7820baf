"""How well do verifiers know patients again on raw images? Several, on the same pairs.

    python benchmarks/verifiers.py DATA VERIFIER ... [--split test] [--json FILE]

VERIFIER is a name or a file. Each is tried on the images that verifiers before had seen the
likes of (nih and nih-rsna-normal), and on these with nih128, of patients that none of them has
seen: AUC against impostors of anyone and of the same source, view and sex, and how often another
image of the patient is the nearest of all others; 95 % intervals by a bootstrap over patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _harness import Report, parse, parser
from _results import Column, Interval

from latentdp.data.cohort import Cohort
from latentdp.models.model_card.verifier import assess
from latentdp.models.networks.verifier import Verifier

SOURCES = (("nih", "nih-rsna-normal"), ("nih128", "nih", "nih-rsna-normal"))
COLUMNS = (
    Column("verifier", "{verifier}"),
    Column("sources", "{sources}"),
    Column("images", "{images:,}"),
    Column("AUC, anyone", "{anyone:.3f}"),
    Column("AUC, same source, view and sex", "{alike:.3f}"),
    Column("nearest is the patient's", "{first:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """A verifier on some images."""

    verifier: str
    sources: str
    images: int
    anyone: Interval | None
    alike: Interval | None
    first: Interval | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table."""
    options = parse(_parser(), arguments)
    with Report(options, COLUMNS, intro=f"split {options.split}") as report:
        for name in options.verifiers:
            verifier = Verifier.load(name)
            for sources in SOURCES:
                cohort = Cohort.read_plain(
                    options.data, options.split, size=verifier.size, sources=sources
                )
                card = assess(verifier, cohort.images, cohort.patients, cohort.cells)
                report.add(
                    Row(
                        verifier=Path(name).stem,
                        sources=", ".join(sources),
                        images=len(cohort),
                        anyone=_interval(card.any.auc),
                        alike=_interval(card.hard.auc),
                        first=_interval(card.first),
                    )
                )


def _interval(measured: tuple[float, float, float] | None) -> Interval | None:
    return None if measured is None else Interval(*measured)


def _parser() -> argparse.ArgumentParser:
    options = parser("verifiers", __doc__, data=True)
    options.add_argument("verifiers", nargs="+", metavar="VERIFIER")
    options.add_argument("--split", default="test")
    return options


if __name__ == "__main__":
    main()
