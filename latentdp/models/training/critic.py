"""Training a critic on public originals and fresh samples of the flow.

Networks learn to tell samples from originals, on three quarters of the training patients, and
the ratios, which are logistic in what each sees, on the others: features of images that a network
has learnt by heart look like no sample's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from latentdp.core.arrays import UNKNOWN, Images, Labels, evenly
from latentdp.data.dataset import Dataset
from latentdp.data.preprocess import unit
from latentdp.models.flow.critic import Critic, reduced
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.population import Population
from latentdp.models.model_card.card_parts import CriticCard
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal, permutation

__all__ = ["train_critic"]

Matrix = NDArray[np.float64]

BATCH = 256
ORIGINAL, SAMPLE = 0, 1  # what the networks tell apart
DRAWS = 2  # samples for each original
FEWEST = 10  # originals on either side
SHARE = 0.75  # of the patients, of whose images the networks learn
STEPS = 2000  # of each network
BATCH_OF_NETWORK = 64
EPOCHS = 20  # of each network, at most
# Of the log ratios of the image as it is and at half its size. Their sum counts twice what both
# see: it is sharper than a ratio, and was chosen so on val (benchmarks/candidates.py measures it).
WEIGHTS = (1.0, 2.0)
STRENGTH = 0.1  # inverse regularisation, per nat and standard deviation
SHARED = 0.5  # weight of what all labels share, beside what is a label's own
RATED = 512  # images of val that the card's numbers are measured on
CANDIDATES = 8  # for which a card says how many are worth it


class _CriticScores(NamedTuple):
    auc: float
    effective_candidates: float
    images: int


@dataclass(frozen=True)
class _Samples:
    """Draws images at temperature 1, as releases do.

    Attributes:
        flow: What makes them.
        population: What is drawn of attributes that a label leaves open; None for nothing.
    """

    flow: Flow
    population: Population | None

    def __call__(self, labels: Labels, seed: int) -> Images:
        """An image for each label."""
        noise = SeededNoise(seed)
        latents = normal(noise, (len(labels), self.flow.d))
        if self.population is not None:
            labels = self.population.completed(labels, noise)
        return self.flow.decode_valid(latents, labels)[0]

    def many(self, labels: Labels, seed: int, tell: Callable[[float], None]) -> Images:
        """The same for more than go through a network at a time."""
        images = np.empty((len(labels), *self.flow.shape), dtype=np.float32)
        for start in range(0, len(labels), BATCH):
            part = slice(start, start + BATCH)
            images[part] = self(labels[part], seed * 100_003 + start)
            tell(start / len(labels))
        return images


def train_critic(
    flow: Flow,
    train: Dataset,
    val: Dataset,
    *,
    seed: int = 0,
    sources: Sequence[str] = (),
    population: Population | None = None,
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> tuple[Critic, CriticCard] | None:
    """A critic of samples at temperature 1, and its part of the card.

    Args:
        flow: What makes the samples; its labels are those of the data.
        train: Public originals.
        val: Others, on which the card's numbers are measured.
        seed: Seed of who is in which part, of networks and samples.
        sources: Those that the images are of, if not all of the weights, for the card.
        population: What releases draw of the attributes that a label leaves open.
        tell: Progress.

    Returns:
        None where there are too few images.
    """
    ours = _share_of(train.patients, seed)
    sides = [train.labels[rows] for rows in (ours, ~ours)]
    if min(map(len, sides)) < FEWEST or len(val) < 2:
        return None
    tell(0.0, "drawing samples")
    shown = sides[0].copy()
    shown[1::2] = UNKNOWN  # half of them are drawn without a label
    draw = _Samples(flow, population)
    samples = draw.many(shown, seed + 3, lambda share: tell(0.2 * share, "drawing samples"))
    labels = np.tile(sides[1], DRAWS)
    labels = np.concatenate([labels, np.full(len(sides[1]), UNKNOWN)])
    drawn = draw.many(labels, seed + 1, lambda share: tell(0.2 + 0.2 * share, "drawing samples"))
    both = np.concatenate([sides[1], np.full(len(sides[1]), UNKNOWN)])
    if flow.attributes:  # one ratio for all that a label may say
        both, labels = np.full_like(both, UNKNOWN), np.full_like(labels, UNKNOWN)
    learnt = np.concatenate([unit(train.pixels[ours]), samples])
    others = unit(train.pixels[~ours])
    kinds = np.repeat([ORIGINAL, SAMPLE], len(shown)).astype(np.int64)
    steps = max(8, min(STEPS, EPOCHS * len(learnt) // BATCH_OF_NETWORK))
    settings = ClassifierConfig(steps=steps, widths=_widths(flow.shape[0] // 2), seed=seed)
    networks, ratios = [], []
    for i, weight in enumerate(WEIGHTS):
        tell(0.4 + 0.3 * i, "training a network")
        network = FindingClassifier.fit(reduced(learnt, i)[None], kinds[None], 2, settings)
        originals = network.features(reduced(others, i))
        features = network.features(reduced(drawn, i))
        networks.append(network)
        ratios.append(
            weight
            * _ratio(np.concatenate([originals] * 2), both, features, labels, len(flow.classes))
        )
    offsets = np.sum([ratio[:, -1:] for ratio in ratios], axis=0)
    ratio = np.concatenate([*(ratio[:, :-1] for ratio in ratios), offsets], axis=1)
    critic = Critic(networks, ratio)
    tell(0.9, "measuring")
    measured = _measured(draw, critic, val, seed + 2)
    card = CriticCard(
        reader_classes=2,
        widths=settings.widths,
        auc=measured.auc,
        candidates=CANDIDATES,
        effective_candidates=measured.effective_candidates,
        images_measured=measured.images,
        images={"reader": len(sides[0]), "ratio": len(sides[1])},
        samples=len(samples) + len(drawn),
        seed=seed,
        sources=tuple(sources) or None,
    )
    return critic, card


def _ratio(
    originals: Matrix, theirs: Labels, samples: Matrix, ours: Labels, classes: int
) -> Matrix:
    """Logistic regression whose weights are shared by all labels but for a regularised part."""
    features = np.concatenate([originals, samples])
    labels = np.concatenate([theirs, ours]) % (classes + 1)  # unknown is the last
    real = np.arange(len(features)) < len(originals)
    centre, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    z = (features - centre) / scale
    own = labels[:, None] == np.arange(classes + 1)
    z = np.concatenate([z, np.ones((len(z), 1))], axis=1)
    columns = np.concatenate(
        [np.sqrt(SHARED) * z] + [z * own[:, c : c + 1] for c in range(classes + 1)], axis=1
    )
    # Of each label as many originals as samples: how often it is drawn is none of a critic's.
    counts = np.zeros(len(features))
    for c in range(classes + 1):
        for kind in (True, False):
            rows = (labels == c) & (real == kind)
            counts[rows] = 1 / max(1, int(rows.sum()))
    there = np.isin(labels, np.intersect1d(labels[real], labels[~real]))
    counts *= there * len(features) / max(1e-9, (counts * there).sum())
    model = LogisticRegression(C=STRENGTH, max_iter=1000, fit_intercept=False)
    weights = model.fit(columns, real, sample_weight=counts).coef_[0].reshape(classes + 2, -1)
    rows = np.sqrt(SHARED) * weights[0] + weights[1:]
    rows, offset = rows[:, :-1] / scale, rows[:, -1]
    offset = offset - rows @ centre
    return np.asarray(np.concatenate([rows, offset[:, None]], axis=1))


def _measured(draw: _Samples, critic: Critic, val: Dataset, seed: int) -> _CriticScores:
    """How well it tells samples from originals of val, and how many candidates count."""
    rows = evenly(len(val), RATED)
    labels = val.labels[rows]
    originals = critic.log_ratio(unit(val.pixels[rows]), labels)
    several = np.stack(
        [critic.log_ratio(draw(labels, seed + i), labels) for i in range(CANDIDATES)]
    )
    real = np.repeat([1, 0], [len(rows), len(rows)])
    odds = np.exp(several - several.max(axis=0))
    effective = odds.sum(axis=0) ** 2 / np.square(odds).sum(axis=0)
    return _CriticScores(
        auc=round(float(roc_auc_score(real, np.concatenate([originals, several[0]]))), 4),
        effective_candidates=round(float(effective.mean()), 2),
        images=len(rows),
    )


def _widths(size: int) -> tuple[int, ...]:
    """Channels of the stages of a classifier, each of which halves the image."""
    return (16, 32, 64, 128)[: max(1, size.bit_length() - 1)]


def _share_of(patients: tuple[str, ...], seed: int) -> NDArray[np.bool_]:
    """Which images are of those patients that the network learns from."""
    people, index = np.unique(patients, return_inverse=True)
    order = permutation(SeededNoise(seed), len(people))
    return np.asarray(order[index] < SHARE * len(people))
