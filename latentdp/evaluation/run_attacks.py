"""All attacks and all measures of utility on one scene.

Each result is kept as soon as it is there, so an interrupted examination goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from latentdp.core import plugins
from latentdp.core.documents import JsonValue
from latentdp.core.filesystem import digest
from latentdp.core.progress import ProgressCallback
from latentdp.errors import InputError
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.models.checkpoints import find, shipped
from latentdp.reports.evaluation_parts import (
    MethodDescription,
    MethodGuarantee,
    People,
    Unavailable,
    UsedVerifier,
)
from latentdp.reports.results import Measure, Outcome

__all__ = ["AttackResults", "describe_method", "describe_side", "describe_verifier", "examine"]

Result = TypeVar("Result", Outcome, Measure)

# The cheap ones first: whoever waits sees something soon.
ORDER = ("side_channels", "frozen", "likelihood", "features", "attributes")


@dataclass(frozen=True, kw_only=True)
class AttackResults:
    """What all attacks and measures found on one scene.

    Attributes:
        outcomes: Of the attacks, one attack after the other.
        utility: Of the measures, one measure after the other.
        unavailable: What could not be run.
        seconds: How long it took.
    """

    outcomes: tuple[Outcome, ...]
    utility: tuple[Measure, ...]
    unavailable: tuple[Unavailable, ...]
    seconds: float


def describe_method(method: Method) -> MethodDescription:
    """What a method is and claims."""
    guarantee = method.guarantee
    return MethodDescription(
        name=method.name,
        title=method.title,
        source=method.source,
        claim=method.claim,
        guarantee=None if guarantee is None else MethodGuarantee.of(guarantee),
        protects_all=method.protects_all,
        control=method.control,
    )


def describe_side(side: PairedImages) -> People:
    """How many people and images."""
    counts = np.unique(side.cohort.patients, return_counts=True)[1]
    return People(
        images=len(side.cohort),
        patients=len(counts),
        patients_with_several=int((counts > 1).sum()),
        size=side.cohort.images.shape[-1],
    )


def describe_verifier(name: str, side: PairedImages) -> UsedVerifier:
    """The verifier that attackers start from, and its digest.

    Args:
        name: Weights; empty for the shipped ones that fit.
        side: Whose images it will look at.
    """
    from latentdp.models.networks.verifier import shipped_verifier

    used = name or shipped_verifier(side.cohort.images.shape[-1])
    known = used if used in shipped() else "not shipped"  # a path may be private
    return UsedVerifier(name=known, sha256=digest(find(used)))


def examine(
    scene: ThreatModel,
    tell: ProgressCallback,
    *,
    attacks: Collection[str] | None = None,
    utilities: Collection[str] | None = None,
) -> AttackResults:
    """Runs attacks and measures.

    Args:
        scene: What is attacked and measured.
        tell: Progress over all of them.
        attacks: Names; None for all.
        utilities: Names; None for all.
    """
    began = time.monotonic()
    chosen = [
        (kind, name)
        for kind, wanted in (("attacks", attacks), ("utility", utilities))
        for name in _ordered(plugins.names(kind))
        if wanted is None or name in wanted
    ]
    outcomes: list[Outcome] = []
    measures: list[Measure] = []
    unavailable: list[Unavailable] = []
    for i, (kind, name) in enumerate(chosen):

        def progress(share: float, words: str, i: int = i, name: str = name) -> None:
            tell((i + share) / len(chosen), f"{name}: {words}" if words else name)

        progress(0.0, "")
        try:
            plugin = getattr(plugins.load(kind, name), kind.removesuffix("s"))
            why = plugin.unavailable_reason(scene)
        except InputError as error:  # of another package, and broken: told, and the rest goes on
            plugin, why = None, str(error)
        if why is not None:
            unavailable.append(Unavailable(name=name, why=why))
        elif kind == "attacks":
            outcomes += _kept(scene, f"{kind} {name}", Outcome, plugin.run, progress)
        else:
            measures += _kept(scene, f"{kind} {name}", Measure, plugin.measure, progress)
    tell(1.0, "all attacks and measures")
    return AttackResults(
        outcomes=tuple(outcomes),
        utility=tuple(measures),
        unavailable=tuple(unavailable),
        seconds=round(time.monotonic() - began, 1),
    )


def _kept(
    scene: ThreatModel,
    name: str,
    kind: type[Result],
    run: Callable[[ThreatModel, ProgressCallback], list[Result]],
    tell: ProgressCallback,
) -> list[Result]:
    """Results under a name: those that were kept, or those of a run, which are kept then."""

    def values() -> list[dict[str, JsonValue]]:
        return [result.to_json() for result in run(scene, tell)]

    return [kind.from_json(value) for value in scene.notes.values(name, values)]


def _ordered(names: Collection[str]) -> list[str]:
    return sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))
