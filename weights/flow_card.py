"""The model card of a flow as Markdown, from the facts in its weights file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType

from latentdp.errors import WeightsError
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import (
    CriticCard,
    DeblockingCard,
    LawCard,
    LikelihoodCard,
    PopulationCard,
    SampleMeasure,
    TrainingCard,
)
from latentdp.models.model_card.directions_card import (
    DirectionsCard,
    IdentityCard,
    Interval,
    ProbeRow,
)

__all__ = ["flow_card"]

ENTRIES = (
    "summary", "parameters", "training_data", "images", "private_training",
    "training", "architecture", "bits_per_dimension", "round_trip_error", "latents_val",
    "memorisation",
)  # fmt: skip


def flow_card(name: str, size: int, sha256: str, card: ModelCard) -> str:
    """The card of one weights file.

    Args:
        name: Of the weights.
        size: Of the file in bytes.
        sha256: Of the file.
        card: Its own metadata.

    Raises:
        WeightsError: The card lacks an entry.
    """
    counted = "present_in_training" if card.class_counts_train is None else "class_counts_train"
    if lacking := card.lacking(*ENTRIES, counted):
        raise WeightsError(f"weights {name!r}: the card lacks {lacking[0]!r}")
    bits = card.bits_per_dimension
    levels = "\n".join(
        f"| {i} | {x.dimensions} | {x.mean} | {x.std} | {x.excess_kurtosis} |"
        for i, x in enumerate(card.latents_val)
    )
    training, near = card.training, card.memorisation
    of = "Classes of the training split:"
    if card.class_counts_train is None:
        of = "Images of the training split with"
    counts = ", ".join(f"{k}: {v}" for k, v in getattr(card, counted).items())
    return f"""# {name}

{card.summary}. {card.parameters:,} parameters, {size / 1e6:.1f} MB,
sha256 `{sha256}`. Made by `latentdp weights`; this card is made from the file's metadata.

## Data
{card.training_data}

Images: {", ".join(f"{k} {v}" for k, v in card.images.items())} (patient-disjoint splits; the
flow was trained on `train` only). {of} {counts}.
Trained on private data: {"yes" if card.private_training else "no"}.

## Training
{training.images_shown:,} images shown in {training.steps:,} steps of {training.batch},
{training.minutes} minutes{_start(training)}. Architecture: `{card.architecture}`.

## Measurements
| split | train (1,024 of them) | val | test |
|---|---|---|---|
| bits per dimension | {bits["train"]} | {bits["val"]} | {bits.get("test", "not measured")} |

Largest round-trip error in float32 on validation images: {card.round_trip_error:.2g}.

Latents of validation images (N(0, 1) under a perfect flow), coarsest level first:

| level | dimensions | mean | std | excess kurtosis |
|---|---|---|---|---|
{levels}
{_usual(card.likelihood)}
Memorisation: the nearest training image of a sample drawn at temperature 0.8 is
{near.sample_median} grey levels away (median of 256, root mean square; nearest
{near.sample_min}); of a real validation image {near.val_median} (nearest {near.val_min}).
Below temperature 1 a sample lies nearer to the average image and so to everything; distances
far below those of new patients would mean copies.
{_laws(card.laws)}{_samples(card.samples)}{_population(card.population)}\
{_critic(card.critic)}{_octaves(card)}
{_directions(card.directions)}
## What it does not protect
The guarantee of a release is about the released image. Images of the training set may be
memorised by these weights; nothing is guaranteed to the people in it.
{_notes(card)}"""


def _start(training: TrainingCard) -> str:
    """What it began with, where that was learnt, and what it learnt against."""
    learnt = training.start and training.start != "random weights"
    begun = f", from the weights `{training.start}`, whose images count too" if learnt else ""
    if training.discriminators is None:
        return begun
    return (
        f"{begun}; by likelihood and against discriminators, which weigh "
        f"{training.discriminators} bits per dimension a nat (`latentdp weights sharpen`)"
    )


def _usual(found: LikelihoodCard | None) -> str:
    if found is None:
        return ""
    (low, high), (_, most) = found.bits, found.coarse
    shares = ", ".join(f"{share:.2%} of {split}" for split, share in found.odd.items())
    return f"""
Odd inputs: the private review marks what lies outside {low} to {high} bits per
dimension (in the middle of the bins, without labels; the 0.1th and 99.9th percentiles of
validation images), or whose coarsest latents have a mean square above {most} (their
99.8th percentile).
That marks {shares}.
"""


def _laws(found: tuple[LawCard, ...] | None) -> str:
    if not found:
        return ""
    rows = "\n".join(f"| {x.name} | {x.measured:.2g} | {x.allowed:.2g} |" for x in found)
    return f"""
Laws that every flow must keep, tried on validation images (`latentdp weights check`):

| law | worst | allowed |
|---|---|---|
{rows}
"""


def _samples(found: tuple[SampleMeasure, ...] | None) -> str:
    if not found:
        return ""
    rows = "\n".join(
        f"| {x.setting} | {x.metric} | {x.value} ({x.low} to {x.high}) | {x.n:,} |" for x in found
    )
    return f"""
Fresh samples, drawn as a release draws them, under the labels of validation images and in their
place (a reader of o/p learnt on originals and is tested on samples, one of p/o the reverse):

| what | number | value (95 %) | images |
|---|---|---|---|
{rows}
"""


def _population(found: PopulationCard | None) -> str:
    if not found:
        return ""
    of = f" of {', '.join(found.sources)}" if found.sources else ""
    return f"""
## Population
What a released label leaves open is drawn as it occurs beside what it says, in
{found.combinations:,} combinations of attributes of {found.images:,} training images{of}.
"""


def _critic(found: CriticCard | None) -> str:
    if not found:
        return ""
    images = found.images
    of = f" of {', '.join(found.sources)}" if found.sources else ""
    return f"""
## Critic
Which of several samples is released: a ratio of originals to samples, learnt by
`latentdp weights add-critic` from {images["ratio"]:,} training images{of},
in what networks see that learnt from {images["reader"]:,} images of other patients, and from
{found.samples:,} samples. On {found.images_measured} validation images it tells samples from
originals at AUC {found.auc}; of {found.candidates} samples {found.effective_candidates} count on
average, as many as if all others were thrown away.
"""


def _octaves(card: ModelCard) -> str:
    found = card.octaves
    if not found:
        return ""
    rows = "\n".join(
        f"| {size} | {_bits(x, 'train')} | {_bits(x, 'val')} | {_bits(x, 'test')} "
        f"| {x.temperature} | {', '.join(map(str, x.shifts or (0,)))} "
        f"| {_finest(x, 'real')} / {_finest(x, 'drawn')} / {_finest(x, 'halves alone')} "
        f"| {x.training.crops_shown:,} | {x.training_data} | {_range(x.gains)} |"
        for size, x in sorted(found.items(), key=lambda item: int(item[0]))
        if x.bits_per_detail
    )
    refiners = "".join(_refiner(size, x) for size, x in found.items() if not x.bits_per_detail)
    return f"""
## Detail of larger images
{refiners}
Networks that draw the detail of an image of twice the size from the image alone. Bits per detail
coefficient; power of the finest octave on validation images, in decibels, of real images, of
drawn detail, and of no detail. In brackets, or as a dash where they were not counted, images whose
own detail has no finite density under the network (an edge or a letter such as it never saw); at
release detail is drawn, and nothing is measured by that density. Detail is drawn once for each
shift of its grid, in pixels, and the mean counts. The last column has the least and the largest
gain of an amplitude at any frequency, by which an image of that size is equalized.
{_deblocking(card.deblocking)}
| size | train | val | test | temperature | shifts | power: real / drawn / none | crops | data \
| gain |
|---|---|---|---|---|---|---|---|---|---|
{rows}
"""


def _deblocking(found: Mapping[str, DeblockingCard] | None) -> str:
    if not found:
        return ""
    each = ", ".join(
        f"{max(map(abs, (*shares.across, *shares.down))):.3f} at {size} pixels"
        for size, shares in found.items()
    )
    return f"""At the end pixels on either side of a border are moved towards each other, or away,
so that steps are as large everywhere: by shares of their difference of up to {each}.
"""


def _refiner(size: str, card: ModelCard) -> str:
    """What draws a private image anew, in words."""
    training = card.training
    return f"""A refiner draws an image anew at {size} pixels a side, from the small image and
fresh noise alone: {card.parameters:,} parameters, {training.steps:,} steps,
{training.images_shown:,} images shown, against two critics. Power of the finest octave on
validation images, in decibels, of real images / drawn / without detail: {_finest(card, "real")} /
{_finest(card, "drawn")} / {_finest(card, "halves alone")}; gains {_range(card.gains)}.
Data: {card.training_data}
"""


def _range(gains: tuple[float, ...] | None) -> str:
    return f"{min(gains):.2f}-{max(gains):.2f}" if gains else "-"


def _bits(octave: ModelCard, split: str) -> str:
    bits = octave.bits_per_detail.get(split, math.nan)
    others = (octave.without_density or {}).get(split, 0)
    return "-" if not math.isfinite(bits) else f"{bits} ({others})" if others else str(bits)


def _finest(octave: ModelCard, which: str) -> str:
    return f"{octave.decibels_by_octave['val'][which][-1]:.1f}"


def _directions(found: DirectionsCard | None) -> str:
    if found is None:
        return ""
    probes, val = found.probes, found.shares["val"]
    first, shares = found.discriminants, found.shares["train"]
    spectrum = "\n".join(
        f"| {i + 1} | {ratio} | {shares.finding[i]} | {val.finding[i]} "
        f"| {shares.patient[i]} | {val.patient[i]} |"
        for i, ratio in enumerate(found.ratios)
    )
    rest = val.patient[first:]
    shown = probes.compared
    rows = []
    for i, k in enumerate(probes.sizes):
        cells = [_estimate(getattr(probes.directions[i], what)) for what in MEASURED]
        for of in shown.values():
            other = of[i] if i < len(of) else NOTHING
            cells.append(f"{_value(other.finding)} / {_value(other.identity)}")
        rows.append(f"| {k} | " + " | ".join(cells) + " |")
    whole = [_estimate(getattr(probes.all, what)) for what in MEASURED]
    rows.append("| all | " + " | ".join(whole + [""] * len(shown)) + " |")
    table = "\n".join(rows)
    heads = " | ".join(f"{name}: finding / identity" for name in shown)
    listed = "; ".join(f"{name}, {probes.baselines[name]}" for name in shown)
    return f"""
## Public directions
{found.count} orthonormal directions of the latent, computed by
`latentdp weights add-directions` from {found.images:,} training images; findings
were compared within source and view, on
{found.images_compared:,} of them. alpha {found.alpha}, gamma {found.gamma};
{found.patients_with_pairs:,} patients have several images. The first {first} separate findings:

| direction | ratio | finding, train | finding, val | patient, train | patient, val |
|---|---|---|---|---|---|
{spectrum}

Finding: variance between findings over variance within them. Patient: share of the latter that
the images of one patient have in common. Where train is far above val, the direction was fitted
to chance. The other {len(rest)} are the principal directions of what is left; on val the patient's
share of them is {_mean(rest)} in the mean and {max(rest, default=0.0)} at most.

AUC on the {probes.images:,} {probes.split} images, **without noise**, with 95 % intervals
(bootstrap over patients): of a reader for the finding and the view, and of an attacker who is
shown two images and says whether they are of one patient. The impostors match in source, view and
finding, or are any. Each is the best of several simple linear opponents.

| k | finding | view | identity, matched | identity, any | {heads} |
|{"---|" * (5 + len(shown))}
{table}

Compared with: {listed}. A dash: there are no more of them.
{_identity(found.identity)}"""


def _identity(found: IdentityCard | None) -> str:
    if not found:
        return ""
    told = ", ".join(map(str, found.intraclass_correlations))
    return f"""
Directions of identity, for the empirical tier: {found.count} that span the coarsest level, the
first {found.compared} in the order of what the images of one patient share
({found.patients_with_pairs:,} patients have several), the others by their variance. Intraclass
correlations of the former at even distances, by chance as far below zero as above: {told}.
"""


MEASURED = ("finding", "view", "identity", "identity_any")  # of a row of the table of probes
NOTHING = ProbeRow(finding=None, identity=None)


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / max(1, len(values)), 4)


def _estimate(found: Interval | UnsetType | None) -> str:
    return (
        ""
        if found is None or found is UNSET
        else f"{found[0]:.3f} ({found[1]:.2f} to {found[2]:.2f})"
    )


def _value(found: Interval | None) -> str:
    return "-" if found is None else f"{found[0]:.2f}"


def _notes(card: ModelCard) -> str:
    return f"\n## Looked at\n{card.looked_at}\n" if card.looked_at else ""
