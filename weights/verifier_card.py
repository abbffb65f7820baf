"""The model card of a verifier, from its weights file's metadata."""

from __future__ import annotations

from typing import Any

__all__ = ["verifier_card"]


def verifier_card(name: str, size: int, sha256: str, card: dict[str, Any]) -> str:
    """The card as Markdown."""
    training = card["training"]
    rows = []
    for split, found in card["verification"].items():
        rows += [
            f"| {split} | {impostors} | {_cell(found[kind]['auc'])} | {_cell(found[kind]['eer'])} "
            f"| {found[kind]['positive_pairs']:,} |"
            for kind, impostors in (("any", "anyone"), ("hard", "same source, view and sex"))
        ]
    searched = [
        f"| {split} | {found['cmc']['gallery']:,} | {found['probes']:,} | {_cell(found['p@1'])} "
        f"| {_cell(found['map@r'])} | "
        + ", ".join(
            f"{rank}: {rate:.3f}"
            for rank, rate in zip(found["cmc"]["ranks"], found["cmc"]["rate"], strict=True)
            if rank in (5, 10, 50, 100)
        )
        + " |"
        for split, found in card["verification"].items()
    ]
    images = ", ".join(f"{split} {n:,}" for split, n in card["images"].items())
    tested = card["verification"]["test"]
    lines = "\n".join
    return f"""# {name}

{card["summary"]}. {card["parameters"]:,} parameters, {size / 1e6:.1f} MB, sha256 `{sha256}`.
Made by `latentdp weights train-verifier`; this card is made from the file's metadata.

An attacker, shipped so that releases can be tested: it tells whether two chest radiographs show
the same person. Use it to evaluate releases, not to identify people.

## Data
{card["training_data"]}

Sources: {", ".join(card["sources"]) or "all"}. Images: {images}
(patient-disjoint splits; trained on `train` only).

## Training
{training["images_shown"]:,} images shown in {training["steps"]:,} steps of
{training["patients_per_step"]} patients with two images each, {training["minutes"]} minutes, from
{training["start"]}; learning rate {training["learning_rate"]}, seed {training["seed"]}.
Architecture: `{card["architecture"]}`.

## Verification on raw images
At most {tested["pairs_per_patient_at_most"]} pairs of a patient, and beside each
{tested["impostors_per_pair"]} impostors; 95 % intervals by a bootstrap over patients
({tested["resamples"]:,} resamples).

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


def _cell(found: list[float]) -> str:
    return f"{found[0]:.3f} ({found[1]:.3f} to {found[2]:.3f})"
