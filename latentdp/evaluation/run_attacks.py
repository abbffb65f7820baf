"""All attacks and all measures of utility on one scene, as JSON values.

Each result is kept as soon as it is there, so an interrupted examination goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import numpy as np

from latentdp.core import plugins
from latentdp.core.filesystem import digest
from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.threat_model import PairedImages, ThreatModel
from latentdp.models.checkpoints import find, shipped
from latentdp.privacy.guarantee import Guarantee

__all__ = ["describe_method", "describe_side", "describe_verifier", "examine"]

# The cheap ones first: whoever waits sees something soon.
ORDER = ("side_channels", "frozen", "likelihood", "features", "attributes")


def describe_method(method: Method) -> dict[str, Any]:
    """What a method is and claims."""
    guarantee = method.guarantee
    return {
        "name": method.name,
        "title": method.title,
        "source": method.source,
        "claim": method.claim,
        "guarantee": None if guarantee is None else _guarantee(guarantee),
        "protects_all": method.protects_all,
    }


def describe_side(side: PairedImages) -> dict[str, Any]:
    """How many people and images."""
    counts = np.unique(side.cohort.patients, return_counts=True)[1]
    return {
        "images": len(side.cohort),
        "patients": len(counts),
        "patients_with_several": int((counts > 1).sum()),
        "size": side.cohort.images.shape[-1],
    }


def describe_verifier(name: str, side: PairedImages) -> dict[str, str]:
    """The verifier that attackers start from, and its digest.

    Args:
        name: Weights; empty for the shipped ones that fit.
        side: Whose images it will look at.
    """
    from latentdp.models.networks.verifier import shipped_verifier

    used = name or shipped_verifier(side.cohort.images.shape[-1])
    known = used if used in shipped() else "not shipped"  # a path may be private
    return {"name": known, "sha256": digest(find(used))}


def examine(
    scene: ThreatModel,
    tell: ProgressCallback,
    *,
    attacks: Collection[str] | None = None,
    utilities: Collection[str] | None = None,
) -> dict[str, Any]:
    """Runs attacks and measures.

    Args:
        scene: What is attacked and measured.
        tell: Progress over all of them.
        attacks: Names; None for all.
        utilities: Names; None for all.

    Returns:
        ``outcomes``, ``utility`` and ``unable`` (name and why), and ``seconds``.
    """
    began = time.monotonic()
    chosen = [
        (kind, name)
        for kind, wanted in (("attacks", attacks), ("utility", utilities))
        for name in _ordered(plugins.names(kind))
        if wanted is None or name in wanted
    ]
    found: dict[str, Any] = {"outcomes": [], "utility": [], "unable": []}
    for i, (kind, name) in enumerate(chosen):

        def told(share: float, words: str, i: int = i, name: str = name) -> None:
            tell((i + share) / len(chosen), f"{name}: {words}" if words else name)

        told(0.0, "")
        plugin = getattr(plugins.load(kind, name), kind.removesuffix("s"))
        why = plugin.unavailable_reason(scene)
        if why is not None:
            found["unable"].append({"name": name, "why": why})
            continue

        def run(
            plugin: Any = plugin, kind: str = kind, told: ProgressCallback = told
        ) -> list[dict[str, Any]]:
            rows = (plugin.run if kind == "attacks" else plugin.measure)(scene, told)
            return [_plain(row.to_dict()) for row in rows]

        rows = scene.notes.values(f"{kind} {name}", run)
        found["outcomes" if kind == "attacks" else "utility"] += rows
    tell(1.0, "")
    return found | {"seconds": round(time.monotonic() - began, 1)}


def _ordered(names: Collection[str]) -> list[str]:
    return sorted(names, key=lambda n: (ORDER.index(n) if n in ORDER else len(ORDER), n))


def _guarantee(guarantee: Guarantee) -> dict[str, Any]:
    told = asdict(guarantee)
    if np.isinf(guarantee.epsilon):
        told["epsilon"] = "infinity"
    return {"epsilon": told["epsilon"], "delta": guarantee.delta, "text": str(guarantee)}


def _plain(value: Any) -> Any:
    """JSON values: numbers of numpy become Python's, NaN and infinities None."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (np.bool_, bool)):
        return bool(value)
    if isinstance(value, (np.integer, int)):
        return int(value)
    if isinstance(value, (np.floating, float)):
        return float(value) if np.isfinite(value) else None
    return value
