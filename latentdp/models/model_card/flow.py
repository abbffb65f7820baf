"""What a trained flow is worth: the measurements on a model card. All are on public images."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import cdist

from latentdp.core.arrays import UNKNOWN, Images, evenly
from latentdp.core.attributes import PRESENT, values_of
from latentdp.data.dataset import Dataset
from latentdp.data.label_space import NO_FINDING, LabelSpace
from latentdp.data.preprocess import unit
from latentdp.metrics.usual_range import UsualRange
from latentdp.models.flow.flow import Flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import LatentStatistics, LikelihoodCard, Memorisation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

# Share of validation images outside the usual range of each number: with half of it a leg was
# usual to one of the shipped flows.
OUTSIDE = 0.002

__all__ = ["assess", "latent_statistics", "round_trip_error", "samples", "usual_likelihood"]


def assess(flow: Flow, train: Dataset, held_out: dict[str, Dataset]) -> ModelCard:
    """A card of measurements: ``held_out`` maps split names to data, ``val`` among them.

    Labels of the data are those that the flow knows (`as_trained` reads them).
    """
    val = held_out["val"]
    some = evenly(len(train), 1024)  # of all sources
    rated = {name: (data.pixels, data.labels) for name, data in held_out.items()}
    rated["train"] = (train.pixels[some], train.labels[some])
    return ModelCard(
        images={"train": len(train)} | {name: len(data) for name, data in held_out.items()},
        class_counts_train=None
        if flow.attributes
        else {name: int((train.labels == i).sum()) for i, name in enumerate(train.classes)},
        present_in_training=_present(flow, train) if flow.attributes else None,
        bits_per_dimension={
            name: round(flow.bits_per_dimension(pixels, labels), 4)
            for name, (pixels, labels) in rated.items()
        },
        round_trip_error=round_trip_error(flow, val),
        latents_val=latent_statistics(flow, val),
        memorisation=memorisation(flow, train, val),
        likelihood=usual_likelihood(flow, held_out),
    )


def _present(flow: Flow, data: Dataset) -> dict[str, int]:
    """Images that show each finding."""
    values = values_of(flow.attributes, data.labels)
    return {
        one.name: int((values[:, i] == PRESENT).sum())
        for i, one in enumerate(flow.attributes)
        if one.is_finding
    }


def round_trip_error(flow: Flow, data: Dataset, limit: int = 128) -> float:
    """Largest |x - decode(encode(x))| over the first ``limit`` images, in [0, 1] units."""
    images = unit(data.pixels[:limit])
    labels = data.labels[:limit]
    return float(np.abs(flow.decode(flow.encode(images, labels), labels) - images).max())


def latent_statistics(flow: Flow, data: Dataset, limit: int = 512) -> tuple[LatentStatistics, ...]:
    """Mean, standard deviation and excess kurtosis of each level's latents, coarsest first."""
    noise = SeededNoise(7)
    count = min(limit, len(data))
    bits = (noise.words(count * data.pixels[0].size) >> np.uint64(11)).astype(
        np.float64
    ) * 2.0**-53
    # The flow was trained on dequantised images: k / 256 plus a uniform part of one bin.
    dequantised = (data.pixels[:count] + bits.reshape(count, *flow.shape) - 0.5) / 255
    z = flow.encode(np.clip(dequantised, 0, 1).astype(np.float32), data.labels[:count])
    return tuple(
        LatentStatistics(
            dimensions=level.stop - level.start,
            mean=round(float(z[:, level].mean()), 4),
            std=round(float(z[:, level].std()), 4),
            excess_kurtosis=round(float(stats.kurtosis(z[:, level], axis=None)), 3),
        )
        for level in flow.levels
    )


def usual_likelihood(flow: Flow, held_out: dict[str, Dataset]) -> LikelihoodCard:
    """Between which values all but a few radiographs lie, for `Flow.out_of_distribution`.

    Of two numbers: bits per dimension, and the mean square of the coarsest latents, which sees
    what the likelihood hardly does: a body that is turned, inverted or another one. Quantiles of
    the validation images, for the bits on either side, since a flow finds flat images likelier
    than those it was trained on (Nalisnick et al. 2019); for the coarse latents only from above,
    since a small one is a plain chest. Without labels: those of inputs are not known to it.
    """
    rated = {split: flow.encode_and_rate(unit(data.pixels)) for split, data in held_out.items()}
    latents, bits = rated["val"]
    low, high = np.quantile(bits, [OUTSIDE / 2, 1 - OUTSIDE / 2])
    far = np.quantile(flow.coarse(latents), 1 - OUTSIDE)
    usual = UsualRange(
        bits=(round(float(low), 3), round(float(high), 3)), coarse=(0.0, round(float(far), 3))
    )
    marked = {
        split: float(flow.out_of_distribution(*both, usual).mean())
        for split, both in rated.items()
    }
    return LikelihoodCard(
        bits=usual.bits,
        coarse=usual.coarse,
        odd={split: round(share, 4) for split, share in marked.items()},
    )


def memorisation(flow: Flow, train: Dataset, val: Dataset, limit: int = 256) -> Memorisation:
    """Distance to the nearest training image (root mean square, grey levels of 255).

    Of samples that were drawn from the flow, and of real validation images for comparison:
    samples that lie much nearer to the training set than new patients do were memorised.
    """
    reference = train.pixels.reshape(len(train), -1).astype(np.float32)

    def nearest(images: NDArray[Any]) -> NDArray[np.float64]:
        flat = images.reshape(len(images), -1).astype(np.float32)
        return np.asarray(cdist(flat, reference).min(axis=1) / np.sqrt(flat.shape[1]))

    ours = nearest(samples(flow, limit, temperature=0.8) * 255)
    real = nearest(val.pixels[:limit])
    return Memorisation(
        sample_median=round(float(np.median(ours)), 2),
        sample_min=round(float(ours.min()), 2),
        val_median=round(float(np.median(real)), 2),
        val_min=round(float(real.min()), 2),
    )


def samples(flow: Flow, n: int, *, temperature: float, seed: int = 0) -> Images:
    """Images drawn from the flow, with a seed, for cards and demonstrations.

    Classes in turn; of attributes no finding, and then each finding alone.
    """
    z = temperature * normal(SeededNoise(seed), (n, flow.d))
    space = LabelSpace(flow.conditioning)
    words = flow.classes or [NO_FINDING, *space.findings] * bool(space.findings)
    each = [space.label([word]) for word in words] or [UNKNOWN]
    return flow.decode(z, np.array(each)[np.arange(n) % len(each)])
