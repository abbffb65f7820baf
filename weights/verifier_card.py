"""The model card of a verifier, from its weights file's metadata."""

from __future__ import annotations

from latentdp.errors import WeightsError
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.directions_card import Interval

__all__ = ["verifier_card"]

ENTRIES = (
    "summary", "parameters", "training_data", "sources", "images", "training", "architecture",
    "verification",
)  # fmt: skip


def verifier_card(name: str, size: int, sha256: str, card: ModelCard) -> str:
    """The card as Markdown.

    Raises:
        WeightsError: The card lacks an entry.
    """
    if lacking := card.lacking(*ENTRIES):
        raise WeightsError(f"weights {name!r}: the card lacks {lacking[0]!r}")
    training = card.training
    rows = []
    for split, reached in card.verification.items():
        rows += [
            f"| {split} | {impostors} | {_cell(pairs.auc)} | {_cell(pairs.eer)} "
            f"| {pairs.positive_pairs:,} |"
            for pairs, impostors in (
                (reached.any, "anyone"),
                (reached.hard, "same source, view and sex"),
            )
        ]
    searched = [
        f"| {split} | {reached.cmc.gallery:,} | {reached.probes:,} | {_cell(reached.first)} "
        f"| {_cell(reached.precision)} | "
        + ", ".join(
            f"{rank}: {rate:.3f}"
            for rank, rate in zip(reached.cmc.ranks, reached.cmc.rate, strict=True)
            if rank in (5, 10, 50, 100)
        )
        + " |"
        for split, reached in card.verification.items()
    ]
    images = ", ".join(f"{split} {n:,}" for split, n in card.images.items())
    tested = card.verification["test"]
    lines = "\n".join
    return f"""# {name}

{card.summary}. {card.parameters:,} parameters, {size / 1e6:.1f} MB, sha256 `{sha256}`.
Made by `latentdp weights train-verifier`; this card is made from the file's metadata.

An attacker, shipped so that releases can be tested: it tells whether two chest radiographs show
the same person. Use it to evaluate releases, not to identify people.

## Data
{card.training_data}

Sources: {", ".join(card.sources) or "all"}. Images: {images}
(patient-disjoint splits; trained on `train` only).

## Training
{training.images_shown:,} images shown in {training.steps:,} steps of
{training.patients_per_step} patients with two images each, {training.minutes} minutes, from
{training.start}; learning rate {training.learning_rate}, seed {training.seed}.
Architecture: `{card.architecture}`.

## Verification on raw images
At most {tested.pairs_per_patient_at_most} pairs of a patient, and beside each
{tested.impostors_per_pair} impostors; 95 % intervals by a bootstrap over patients
({tested.resamples:,} resamples).

| split | impostors | AUC | EER | positive pairs |
|---|---|---|---|---|
{lines(rows)}

## Identification on raw images
Each image of a patient with several is looked for among all other images of the split.

| split | gallery | probes | P@1 | mAP@R | rank-k |
|---|---|---|---|---|---|
{lines(searched)}

With 79 times more training data, Packhaeuser et al. 2022 (Sci Rep 12:14851) reach AUC 0.994 at 256
pixels and P@1 0.996 at 1,024: a real adversary may see more than this network does.
"""


def _cell(measured: Interval | None) -> str:
    if measured is None:
        return "not measurable"
    value, low, high = measured
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
