"""What speaks against weights, from their card: a release with them may show nothing.

The thresholds stand in docs/how-to/train.md. No number of training images is told: a release card
is public, and weights may have learnt from private images.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from latentdp.core.warnings import WeightsWarning
from latentdp.models.model_card.card import ModelCard

__all__ = ["FEWEST_IMAGES", "FEWEST_PATIENTS", "FEWEST_STEPS", "caveats_of", "warn"]

FEWEST_IMAGES = 100  # of a class, for training
FEWEST_STEPS = 2_000  # of the optimiser
FEWEST_PATIENTS = 50  # with two images or more, for the directions


def caveats_of(
    card: ModelCard, *, directions: bool, critic: bool, vouched: bool
) -> tuple[str, ...]:
    """Sentences for a release card; none for weights with which nothing is amiss.

    Args:
        card: The model card of the weights.
        directions: Whether they carry public directions.
        critic: Whether they carry a critic.
        vouched: Whether they are of this installation, and were checked before.
    """
    lines = [] if vouched else _unchecked(card)
    counts = card.class_counts_train or {}
    few = [name for name, count in counts.items() if count < FEWEST_IMAGES]
    if few:
        lines.append(
            f"FEW IMAGES: the weights learnt {', '.join(few)} from fewer than {FEWEST_IMAGES} "
            "images each; what is released as such may look like anything"
        )
    steps = None if card.training is None else card.training.steps
    if steps is not None and steps < FEWEST_STEPS:
        lines.append(
            f"FEW STEPS: the weights were trained for fewer than {FEWEST_STEPS:,} steps; images "
            "may show nothing of a chest"
        )
    patients = 0 if card.directions is None else card.directions.patients_with_pairs
    if directions and patients < FEWEST_PATIENTS:
        lines.append(
            "DIRECTIONS WITHOUT PATIENTS: the public directions come from fewer than "
            f"{FEWEST_PATIENTS} patients with several images; they may tell who a patient is "
            "rather than what a finding looks like"
        )
    if not critic:
        lines.append("NO CRITIC: one image is drawn for each release, whatever it looks like")
    if card.likelihood is None:
        lines.append(
            "NO LIKELIHOOD RANGE: an input unlike those that the weights know is not noticed"
        )
    return tuple(lines)


def warn(caveats: Iterable[str], *, between: int = 0) -> None:
    """Warns in Python of each caveat.

    Args:
        caveats: As of `latentdp.models.flow.flow.Flow.caveats`.
        between: Functions of ours between the user's line and the caller of this.

    Warns:
        WeightsWarning: For each.
    """
    for caveat in caveats:
        warnings.warn(caveat, WeightsWarning, stacklevel=between + 3)


def _unchecked(card: ModelCard) -> list[str]:
    if card.checked is None:
        return ["UNCHECKED WEIGHTS: they never passed `latentdp weights check`"]
    if card.checked != "in full":
        return ["UNCHECKED WEIGHTS: they passed only a first look (`weights check --quick`)"]
    return []
