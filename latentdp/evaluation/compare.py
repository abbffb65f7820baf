"""Our presets, the rivals and the controls on the same images, attackers and seeds.

Two grounds: one where patients have several images, to recognise people on, and one where the
findings can be learnt from small images, to measure use on. Every row is kept when it is done, so
an interrupted comparison goes on with the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from msgspec import structs

from latentdp.core import plugins
from latentdp.core.cache import Arrays, ResultCache, closed
from latentdp.core.progress import ProgressCallback
from latentdp.core.version import __version__
from latentdp.data.cohort import Cohort
from latentdp.errors import InputError
from latentdp.evaluation.datasets import BenchmarkDataset, fingerprint
from latentdp.evaluation.methods._weights import Weights
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.private_copies import as_used, copies, repeats
from latentdp.evaluation.run_attacks import (
    AttackResults,
    describe_method,
    describe_side,
    describe_verifier,
    examine,
)
from latentdp.evaluation.summary_columns import columns
from latentdp.evaluation.threat_model import Effort, PairedImages, ThreatModel
from latentdp.evaluation.verdict import UNJUDGED, verdict
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.reports.comparison import ComparedMethod, ComparedPeople, Comparison, Group
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import Control
from latentdp.reports.recognition import Thresholds

__all__ = ["ComparisonRow", "compare", "entries"]

GROUPS: tuple[Group, ...] = ("control", "rival", "ours")  # of rows, in this order
VERSIONS = 2  # private copies of each image that an attacker practises on


@dataclass(frozen=True)
class ComparisonRow:
    """A row of the comparison.

    Attributes:
        group: ``control``, ``rival`` or ``ours``.
        methods: The method on each ground, by the ground's name.
    """

    group: Group
    methods: dict[str, Method]

    @property
    def name(self) -> str:
        """Of the row."""
        return next(iter(self.methods.values())).name


def entries(
    grounds: Sequence[BenchmarkDataset], only: Collection[str] = ()
) -> list[ComparisonRow]:
    """All rows: controls, rivals, ours.

    Args:
        grounds: What they are made for.
        only: Names to keep; empty keeps all.

    Raises:
        InputError: A name that there is not.
    """
    makers: dict[Group, list[Callable[[Weights], Sequence[Method]]]] = {g: [] for g in GROUPS}
    for _, module in plugins.usable("methods"):
        makers[getattr(module, "group", "rival")].append(module.examples_for)
    rows_of_methods = []
    for group, group_makers in makers.items():
        for maker in group_makers:
            rows = zip(*(maker(g.weights) for g in grounds), strict=True)
            rows_of_methods += [
                ComparisonRow(group, {g.name: m for g, m in zip(grounds, row, strict=True)})
                for row in rows
            ]
    unknown = set(only) - {entry.name for entry in rows_of_methods}
    if unknown:
        names = ", ".join(entry.name for entry in rows_of_methods)
        raise InputError(f"no method {sorted(unknown)[0]!r}; there are: {names}")
    return [entry for entry in rows_of_methods if not only or entry.name in only]


def compare(
    grounds: Sequence[BenchmarkDataset],
    rows: Sequence[ComparisonRow],
    folder: Path,
    *,
    effort: Effort,
    seed: int,
    quick: bool,
    tell: ProgressCallback,
    thresholds: Thresholds | None = None,
    verifier: str = "",
    attacks: Collection[str] | None = None,
) -> Comparison:
    """Compares methods.

    Args:
        grounds: The first on which people are recognised, and the one for findings; may be one.
        rows: What is compared.
        folder: Where parts are kept; closed to others, since they follow originals.
        effort: Of every attacker.
        seed: Of noise and attackers.
        quick: For the page: whether the effort is a first look only.
        tell: Progress.
        thresholds: What may be claimed.
        verifier: Weights that attackers start from; empty for the shipped ones that fit.
        attacks: Names of those that are made; None for all.
    """
    began = time.monotonic()
    classifiers = ClassifierCache(folder / "classifiers")  # all rows learn on the same originals
    compared = []
    for i, entry in enumerate(rows):

        def progress(share: float, words: str, i: int = i, entry: ComparisonRow = entry) -> None:
            tell((i + share) / len(rows), f"{entry.name}: {words}")

        compared.append(
            _row(entry, grounds, folder, effort, seed, verifier, attacks, classifiers, progress)
        )
    limits = thresholds or Thresholds()
    controls = tuple(
        Control(method=row.evaluation.method, utility=row.utility)
        for row in compared
        if row.group == "control"
    )
    return Comparison(
        kind="comparison",
        format=1,
        version=__version__,
        seed=seed,
        quick=quick,
        effort=effort.stated,
        cohorts=tuple(
            ComparedPeople(
                **structs.asdict(describe_side(g.raw)),
                name=g.name,
                purpose=_PURPOSE.get(g.name, g.name),
                weights=g.weights.name,
            )
            for g in grounds
        ),
        rows=tuple(_judged(row, controls, limits, quick=quick) for row in compared),
        notes=_NOTES,
        seconds=round(time.monotonic() - began, 1),
    )


def _judged(
    row: ComparedMethod, controls: tuple[Control, ...], limits: Thresholds, *, quick: bool
) -> ComparedMethod:
    """With its verdict and its numbers: people on the one ground, findings on the other."""
    evaluation = structs.replace(row.evaluation, quick=quick, thresholds=limits, controls=())
    both = structs.replace(evaluation, utility=row.utility, controls=controls)
    return structs.replace(
        row,
        evaluation=structs.replace(evaluation, verdict=verdict(both)),
        columns=columns(both.outcomes, both.utility),
    )


_PURPOSE = {
    "identity": "are people recognised?",
    "findings": "are findings still learnt and found?",
}
_NOTES = (
    "Every method is attacked on the same images by attackers with the same seeds and effort. "
    "The attacker practises on the training split, privatized by the same method. The verifier "
    "that it starts from was trained on the originals of that split.",
    "Classifiers of findings learn with the labels that a method releases; where it releases none "
    "(\N{DAGGER}), with the true findings, as if these were known from elsewhere.",
    "An empirical attack shows what was found by these attackers; only a guarantee bounds others.",
)


def _row(
    entry: ComparisonRow,
    grounds: Sequence[BenchmarkDataset],
    folder: Path,
    effort: Effort,
    seed: int,
    verifier: str,
    attacks: Collection[str] | None,
    classifiers: ClassifierCache,
    tell: ProgressCallback,
) -> ComparedMethod:
    began = time.monotonic()
    examinations: dict[str, AttackResults] = {}
    sides: dict[str, tuple[PairedImages, PairedImages]] = {}
    for i, g in enumerate(grounds):
        method = entry.methods[g.name]
        identity, findings = g.name == "identity", g.name == "findings" or len(grounds) == 1

        def progress(share: float, words: str, i: int = i) -> None:
            tell((i + share) / len(grounds), words)

        used = describe_verifier(verifier, g.raw)
        kept = fingerprint(g, method, effort=asdict(effort), seed=seed, verifier=used.sha256)
        notes = ResultCache(folder / kept)
        release = sides[g.name] = _privatized(method, g, folder, notes, seed, progress)
        scene = ThreatModel(
            target=release[0],
            practice=release[1],
            guarantee=method.guarantee if method.protects_all else None,
            privatizer=method.privatizer,
            more=repeats(method, g.test, seed),
            effort=effort,
            seed=seed,
            members=True,  # weights were trained on this data's training split
            verifier=verifier,
            classifiers=classifiers,
            notes=notes,
        )
        examinations[g.name] = examine(
            scene,
            lambda share, words, progress=progress: progress(0.2 + 0.8 * share, words),  # type: ignore[misc]
            attacks=attacks if identity else (),
            utilities=None if findings else ("similarity",),
        )
    first = grounds[0].name
    main, method = examinations[first], entry.methods[first]
    target, practice = map(describe_side, sides[first])
    return ComparedMethod(
        name=entry.name,
        title=method.title,
        group=entry.group,
        evaluation=Evaluation(
            kind="evaluation",
            format=1,
            version=__version__,
            seed=seed,
            effort=effort.stated,
            verifier=describe_verifier(verifier, grounds[0].raw),
            method=describe_method(method),
            outcomes=main.outcomes,
            utility=main.utility,
            unable=main.unavailable,
            seconds=main.seconds,
            cohort=target,
            practice=structs.replace(
                practice, where="the training split, privatized by the same method"
            ),
            verdict=UNJUDGED,
        ),
        utility=examinations[grounds[-1].name].utility,
        seconds=round(time.monotonic() - began, 1),
    )


def _privatized(
    method: Method,
    g: BenchmarkDataset,
    folder: Path,
    notes: ResultCache,
    seed: int,
    tell: ProgressCallback,
) -> tuple[PairedImages, PairedImages]:
    """The release, and the attacker's own copies; both are kept."""
    state = closed(folder) / f"{g.name}-{method.name}-{seed}.state"
    # Also where the images are kept: attacks ask for more of them.
    method.fit(g.train, g.val, seed=seed, state=state, tell=lambda s, w: tell(0.1 * s, w))

    def privatize() -> Arrays:
        tell(0.1, "privatizing")
        count = VERSIONS if g.name == "identity" else 1
        target, target_labels = copies(method, g.test, 1, 4 * seed)
        practice, practice_labels = copies(method, g.train, count, 4 * seed + 1)
        return {
            "target": target,
            "target labels": target_labels,
            "practice": practice,
            "practice labels": practice_labels,
        }

    arrays = notes.arrays("private", privatize)

    def side(name: str, cohort: Cohort) -> PairedImages:
        known = as_used(method, cohort)
        return PairedImages(cohort=known, private=arrays[name], labels=arrays[f"{name} labels"])

    return side("target", g.test), side("practice", g.train)
