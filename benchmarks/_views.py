"""Tables of the documents that are more than the rows of one result."""

from __future__ import annotations

import math
from collections.abc import Sequence

from _results import Interval, Result, Value, markdown

__all__ = [
    "best_directions",
    "comparison",
    "frontier",
    "million_files",
    "provenance",
    "scale_stages",
    "survivors",
    "worker_counts",
]

STAGES = {  # of benchmarks/scale.py
    "digest": "digest of the file",
    "read": "read: bytes, header, pixels, reduction",
    "network": "network: encode, mechanism, decode, critic",
    "detail": "detail drawn",
    "latents of detail": "detail drawn: noise",
    "encode": "write: new header",
    "write": "write: draft, digest",
    "run: decisions, ledger, records, names": "the run's own: decisions, ledger, records, names",
    "run: card, table, review": "the run's own: card, table and review of all outputs",
}
SCALES = ("default", "64 pixels, 1 candidate")  # the runs that scale.md compares


def comparison(result: Result) -> str:
    """Our own releases in bold."""
    lines = []
    for row in result.rows:
        name, *cells = (column.text(row) for column in result.columns)
        lines.append([f"**{name}**" if row["group"] == "ours" else name, *cells])
    return markdown([column.title for column in result.columns], lines)


def frontier(result: Result) -> str:
    """What all our releases share goes from their names."""
    rests = {
        str(row["release"]).partition(", ")[2] for row in result.rows if row["group"] == "ours"
    }
    lines = []
    for row in result.rows:
        name, *cells = (column.text(row) for column in result.columns)
        short = name.partition(", ")[0]
        lines.append([short if row["group"] == "ours" and len(rests) == 1 else name, *cells])
    return markdown([column.title for column in result.columns], lines)


def best_directions(result: Result) -> str:
    """For each mechanism and epsilon the best AUC over the number of directions, and that at 2."""
    aucs: dict[tuple[Value, Value], dict[Value, float]] = {}
    for row in result.rows:
        auc = row["auc"]
        if row["epsilon"] is not None and isinstance(auc, float):
            aucs.setdefault((row["mechanism"], row["epsilon"]), {})[row["k"]] = auc
    epsilons = list(dict.fromkeys(epsilon for _, epsilon in aucs))
    lines = []
    for mechanism in dict.fromkeys(mechanism for mechanism, _ in aucs):
        cells = []
        for epsilon in epsilons:
            by_count = aucs.get((mechanism, epsilon), {})
            best = max(by_count, key=lambda k: by_count[k], default=None)
            both = "-" if best is None else f"{by_count[best]:.3f} (k = {best}); "
            cells.append(f"{both}{by_count[2]:.3f}" if 2 in by_count else both.rstrip("; "))
        lines.append([f"`{mechanism}`", *cells])
    return markdown(["mechanism", *(f"epsilon {epsilon:g}" for epsilon in epsilons)], lines)


def survivors(result: Result) -> str:
    """What is left under each preset, weights side by side, children first."""
    weights = sorted({str(row["weights"]) for row in result.rows}, reverse=True)
    by_preset: dict[str, list[dict[str, Value]]] = {}
    for name in weights:
        for row in result.rows:
            if row["weights"] == name:
                by_preset.setdefault(str(row["preset"]), []).append(row)
    lines = []
    for preset, rows in by_preset.items():
        bare = preset == "no privacy"
        unknown = "infinite" if bare else "none"
        epsilon = rows[0]["epsilon"]
        lines.append(
            [
                preset if bare else f"`{preset}`",
                unknown if epsilon is None else f"{math.ceil(epsilon):,}",
                _side_by_side([row["finding"] for row in rows]),
                _side_by_side([row["verifier"] for row in rows]),
                _named_first(rows),
            ]
        )
    heads = ["preset", "epsilon", "finding AUC", "one patient? AUC, both private"]
    return markdown([*heads, "right source named first, white-box"], lines)


def scale_stages(results: Sequence[Result]) -> str:
    """Where the time of a file goes."""
    lines = [
        [words, *(f"{result.facts[f'ms, {stage}']:.1f}" for result in results)]
        for stage, words in STAGES.items()
    ]
    once = [f"{result.facts['s, once']:.1f} s" for result in results]
    lines.append(["once, whatever the number: card, review, picture", *once])
    return markdown(["stage, one thread, ms a file", *SCALES], lines)


def million_files(results: Sequence[Result]) -> str:
    """What a million files cost."""
    facts = [result.facts for result in results]
    read = [_number(of["GB read"]) / 1000 for of in facts]
    lines = [
        ["core hours", *(f"{of['core hours']:.1f}" for of in facts)],
        ["read, once each", *(f"{terabytes:.0f} TB" for terabytes in read)],
        ["written to OUT", *(f"{of['GB written']:.1f} GB" for of in facts)],
        [
            "vault: ledger, private report, index",
            *(f"{of['GB in the vault']:.1f} GB" for of in facts),
        ],
        [
            "rows of the ledger: a reservation and a record each",
            *(f"{of['rows of the ledger']:,.0f}" for of in facts),
        ],
    ]
    return markdown(["a million files", *SCALES], lines)


def worker_counts(results: Sequence[Result]) -> str:
    """How many workers are worth their while."""
    heads, lines = ["workers"], []
    for name in SCALES:
        heads += [f"{name}: files/s", "hours", "busiest"]
    for rows in zip(*(result.rows for result in results), strict=True):
        cells = [str(rows[0]["workers"])]
        for row in rows:
            busiest = row["bottleneck"]
            share = 100 * _number(row[f"{busiest}_busy"])
            cells += [
                f"{row['rate']:,.0f}",
                f"{row['hours']:.1f}",
                f"{busiest} ({share:.0f} %)",
            ]
        lines.append(cells)
    return markdown(heads, lines)


def provenance(results: dict[str, Result]) -> str:
    """When, where and how each result came to be."""
    lines = [
        [
            f"`{name}.json`",
            f"{result.date}" + (", carried over" if result.carried_over else ""),
            result.machine.processor,
            f"`{result.commit[:7]}`" + ("-dirty" if result.commit.endswith("-dirty") else ""),
            f"`{result.command}`",
        ]
        for name, result in sorted(results.items())
    ]
    return markdown(["result", "measured", "processor", "commit", "command"], lines)


def _side_by_side(values: Sequence[Value]) -> str:
    """Of the weights; nothing is left of any if nothing is left of the first."""
    if values[0] is None:
        return "none"
    return " / ".join(f"{_number(value):.2f}" for value in values)


def _named_first(rows: Sequence[dict[str, Value]]) -> str:
    """How often a white box names the source."""
    shares = [_number(row["named_first"]) for row in rows]
    match rows[0]["known_by"]:
        case "what is kept":
            return " / ".join("1" for _ in shares)
        case "nothing left":
            return " / ".join(f"1 of {1 / share:,.0f}" for share in shares) + ", as by chance"
        case _:
            return " / ".join(f"{share:.2f}" for share in shares)


def _number(value: Value) -> float:
    if isinstance(value, Interval):
        return value.value
    assert isinstance(value, int | float)
    return value
