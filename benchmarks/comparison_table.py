"""The comparison's table for the documents, from the JSON twin of `latentdp compare`.

latentdp compare DATA --out DIR
python benchmarks/comparison_table.py DIR/comparison.json ... [--kept RESULT] [--json FILE]
    [--picture FILE]

Of a release that several comparisons have, the row of the last counts. With `--kept`, all others
stay in place as they are in an earlier result. The picture is that of the comparison's own page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from _harness import Report, parse, parser
from _results import Column, Interval, Result
from _views import comparison as in_bold
from msgspec import convert

from latentdp.core.documents import read_json
from latentdp.core.filesystem import write_text
from latentdp.reports.comparison import ComparedMethod, Comparison
from latentdp.reports.comparison_table import LENT, TAUGHT
from latentdp.reports.glossary import LABELS_ONLY
from latentdp.reports.pareto import Point, pareto_chart

COLUMNS = (
    Column("release", "{release}"),
    Column("epsilon of the image", "{epsilon:up4}{beside}", missing="none"),
    Column("frozen", "{frozen:.3f}", bare=True),
    Column("adaptive, mean", "{adaptive_mean:.3f}", bare=True),
    Column("adaptive, max", "{adaptive_max:.3f}", bare=True),
    Column("told from anyone", "{against_anyone:.3f}", bare=True),
    Column("patient first", "{patient_first:.2f}", bare=True),
    Column("own image first", "{own_image_first:.2f}", bare=True),
    Column("own image, white box", "{white_box:.2f}", bare=True),
    Column("o/p", "{op_normal:.3f}", bare=True),
    Column("p/o", "{po_normal:.3f}{lent}", bare=True),
    Column("p/o, mean of findings", "{po_mean:.3f}{lent}", bare=True),
)


@dataclass(frozen=True)
class Row:
    """A release; what was not measured is None.

    Attributes:
        group: ``control``, ``rival`` or ``ours``.
        release: Its name.
        epsilon: Of the whole release; None without a guarantee.
        beside: In results of 0.1, what is released exactly beside the epsilon of the rest.
        lent: A mark where the method releases no labels, so that its readers had the true ones.
        frozen: AUC of a verifier that does not adapt.
        adaptive_mean: Mean AUC of verifiers that do.
        adaptive_max: Of the best of them.
        against_anyone: AUC of the strongest of all verifiers against any impostor, by everything
            that is released.
        patient_first: Share of searches that name another image of the patient first.
        own_image_first: The original.
        white_box: The original, knowing the mechanism.
        op_normal: AUC of normal or not, taught on originals, read on private images.
        po_normal: The reverse.
        po_mean: The reverse, mean over findings.
    """

    group: str
    release: str
    epsilon: float | None
    beside: str
    lent: str
    frozen: Interval | None
    adaptive_mean: Interval | None
    adaptive_max: Interval | None
    against_anyone: Interval | None
    patient_first: Interval | None
    own_image_first: Interval | None
    white_box: Interval | None
    op_normal: Interval | None
    po_normal: Interval | None
    po_mean: Interval | None


# Keys of the comparison's columns.
KEYS = {
    "frozen": "frozen",
    "adaptive_mean": "adaptive_mean",
    "adaptive_max": "adaptive_max",
    "against_anyone": "against_anyone",
    "patient_first": "p@1",
    "own_image_first": "own_image_first",
    "white_box": "white_box",
    "op_normal": "o/p, normal",
    "po_normal": "p/o, normal",
    "po_mean": "p/o",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints it."""
    options = parser("comparison_table", __doc__)
    options.add_argument("comparisons", type=Path, nargs="+", metavar="COMPARISON")
    options.add_argument("--kept", type=Path, metavar="RESULT", help="result of before")
    options.add_argument("--picture", type=Path, metavar="FILE", help="SVG of all rows")
    parsed = parse(options, arguments)
    read = [Comparison.from_json(read_json(path, "a comparison")) for path in parsed.comparisons]
    compared = {method.name: summary(method) for comp in read for method in comp.rows}
    if parsed.kept:
        compared = _kept(Result.read(parsed.kept)) | compared
    groups = ("control", "rival", "ours")
    rows = [row for group in groups for row in compared.values() if row.group == group]
    if parsed.picture:
        write_text(parsed.picture, picture(rows))
    with Report(parsed, COLUMNS, table=False) as report:
        report.extend(rows)
        report.say(in_bold(report.result))


def picture(rows: Sequence[Row]) -> str:
    """How well people are found against what images teach, as SVG."""
    points = [
        Point(
            name=row.release,
            group=row.group,
            **_of_axis("x", row.adaptive_max),
            **_of_axis("y", row.po_mean),
        )
        for row in rows
        if row.adaptive_max is not None and row.po_mean is not None
    ]
    words = "; ".join(f"{p.name}: {p.x:.3f} against {p.y:.3f}" for p in points)
    alone = next((p.y for p in points if p.name == LABELS_ONLY), None)
    drawn = pareto_chart("comparison", points, labels_only=alone, words=words)
    return str(drawn).replace("<svg ", '<svg font-family="sans-serif" ', 1)


def _of_axis(axis: str, found: Interval) -> dict[str, float]:
    """A number and the ends of its interval; it stands for an end that nobody knows."""
    low, high = (found.value if end is None else end for end in (found.low, found.high))
    return {axis: found.value, f"{axis}_low": low, f"{axis}_high": high}


def _kept(before: Result) -> dict[str, Row]:
    """Rows of an earlier result, by release."""
    rows = (convert(row, Row) for row in before.rows)
    return {row.release: row for row in rows}


def summary(compared: ComparedMethod) -> Row:
    """The numbers of a method."""
    method, numbers = compared.evaluation.method, compared.numbers
    taught = [cell for key in TAUGHT if (cell := numbers.get(key)) is not None]
    lent = any(cell.learnt_with == "true findings" for cell in taught)
    return Row(
        group=compared.group,
        release=compared.name,
        epsilon=None if method.guarantee is None else method.guarantee.epsilon,
        beside="",
        lent=LENT if lent else "",
        **{field: Interval.of(numbers.get(key)) for field, key in KEYS.items()},
    )


if __name__ == "__main__":
    main()
