"""How much of the findings and how much of the identity k directions carry: the table of a card.

Classifiers and attackers are fitted on the training split and, independently of the directions,
on the validation split; the better one counts. No noise is added: this is what directions carry
before a mechanism protects them. Both sides get the best of several simple opponents, so that the
numbers of either are a little too high rather than too low. Intervals are a bootstrap over
patients. All numbers are of the last split there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray
from scipy import stats

from latentdp.core.arrays import UNKNOWN
from latentdp.metrics.bootstrap import RESAMPLES, Estimate, Resamples, auc, estimate
from latentdp.metrics.discriminants import cosine, lda, plda
from latentdp.metrics.pairs import Pairs
from latentdp.metrics.scatter import Groups, residuals
from latentdp.models.directions.encode import Encoded, Matrix
from latentdp.models.directions.finding import (
    DirectionConfig,
    Directions,
    Scatters,
    discriminants,
    shares,
)
from latentdp.models.directions.identity import identity_directions
from latentdp.models.model_card.directions_card import (
    DirectionsCard,
    Interval,
    ProbeRow,
    ProbeTable,
)
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["SIZES", "Probe", "public_directions"]

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
ALL_PCS = (32, 64, 128, 256)  # an attacker on all dimensions fits a model in so many
BASELINES = {
    "lda": "Foley and Sammon's vectors without the patient term (gamma 0), all k of them",
    "principal": "principal directions of the scatter within findings",
    "coordinates": "single latent dimensions by their F statistic over the classes",
    "random": "random orthonormal directions",
}


def public_directions(
    encoded: dict[str, Encoded], settings: DirectionConfig, level: slice | None = None
) -> tuple[Directions, DirectionsCard] | None:
    """Directions from the split ``train``, and their part of the card.

    Args:
        encoded: ``train``, ``val`` and, if there is one, ``test``; of each a few images of a
            patient count (`Encoded.few_of_each`).
        settings: How many, and the weights.
        level: The coarsest, where directions of identity are looked for; None for nowhere.

    Returns:
        None where the training split has fewer than two known findings.
    """
    encoded = {split: part.few_of_each() for split, part in encoded.items()}
    train = encoded["train"]
    scatters = Scatters.of(train.latents, train.groups)
    if scatters is None:
        return None
    directions = scatters.directions(settings)
    probe = Probe(encoded, scatters.leading)
    rows = {"directions": directions.rows} | baselines(train, scatters, directions)
    sizes = [k for k in SIZES if k <= len(directions.rows)]
    table = {name: tuple(probe.table(w, sizes)) for name, w in rows.items()}
    card = directions.describe(
        shares={
            split: shares(directions.rows, part.latents, part.groups)
            for split, part in encoded.items()
            if split != "test"
        },
        probes=ProbeTable(
            split=probe.split,
            images=len(probe.test.latents),
            sizes=tuple(sizes),
            baselines=BASELINES,
            all=probe.all_dimensions(),
            **table,
        ),
    )
    shared = identity_directions(train.latents, train.groups, level) if level else None
    if shared is not None:
        directions = replace(directions, identity=shared[0])
        card = structs.replace(card, identity=shared[1])
    return directions, card


def baselines(train: Encoded, scatters: Scatters, directions: Directions) -> dict[str, Matrix]:
    """Other sets of directions ``(count, d)`` to compare with; keys of `BASELINES`."""
    z = train.latents
    count, d = directions.rows.shape
    shrunk = scatters.shrunk(directions.settings.alpha)
    shrunk[np.diag_indices(d)] += 1e-9
    rows: dict[str, Matrix] = {}
    rows["lda"] = discriminants(scatters.finding, shrunk, count, beyond_rank=True)[0]
    rows["principal"] = scatters.leading[:, :count].T
    classes = [z[train.labels == c] for c in np.unique(train.labels[train.labels >= 0])]
    classes = [c for c in classes if len(c) > 1]
    if len(classes) > 1:
        f = np.nan_to_num(stats.f_oneway(*classes, axis=0).statistic)
        rows["coordinates"] = np.eye(d)[np.argsort(-f, kind="stable")[:count]]
    rows["random"] = np.linalg.qr(normal(SeededNoise(3), (d, count)))[0].T
    return rows


@dataclass(frozen=True)
class _Coordinates:
    """The splits in the k dimensions that classifiers and attackers are given.

    Attributes:
        fits: Coordinates ``(n, k)`` of each split that is fitted on.
        spreads: Those of ``fits`` less the mean of their stratum and finding.
        test: Coordinates ``(m, k)`` of the split that is measured on.
        centred: Those of ``test`` less the training split's mean of their stratum and finding.
        bases: In which an attacker models a patient: None for these dimensions themselves.
    """

    fits: list[Matrix]
    spreads: list[Matrix]
    test: Matrix
    centred: Matrix
    bases: tuple[Matrix | None, ...] = (None,)

    def onto(self, rows: Matrix) -> _Coordinates:
        """Projected on rows ``(k, d)``."""
        fits, spreads = ([z @ rows.T for z in part] for part in (self.fits, self.spreads))
        return _Coordinates(fits, spreads, self.test @ rows.T, self.centred @ rows.T)

    def first(self, k: int) -> _Coordinates:
        """The first k dimensions."""
        fits, spreads = ([z[:, :k] for z in part] for part in (self.fits, self.spreads))
        return _Coordinates(fits, spreads, self.test[:, :k], self.centred[:, :k])


class Probe:
    """Classifiers and attackers, fitted and measured on the projections of encoded splits.

    Args:
        encoded: ``train``, ``val`` and, if there is one, ``test``, which is then measured on.
        leading: ``(d, m)`` principal directions in which an attacker on the whole latent models
            a patient: in all of it, the model drowns in noise.
        resamples: Number of resamples for the intervals; 1 is enough where only values are
            wanted.
    """

    def __init__(
        self, encoded: dict[str, Encoded], leading: Matrix, resamples: int = RESAMPLES
    ) -> None:
        self.split = "test" if "test" in encoded else "val"
        self.test = test = encoded[self.split]
        self.fits = [encoded[name] for name in ("train", "val") if name != self.split]
        self.resamples = Resamples(test.groups.patients, resamples)
        self.pairs = {matched: _pairs(test.groups, matched=matched) for matched in (True, False)}
        self.weights = {
            matched: None if pairs is None else self.resamples.pairs(pairs.probe, pairs.reference)
            for matched, pairs in self.pairs.items()
        }
        # An attacker who knows source, view and finding of an image subtracts their mean.
        spreads = [residuals(fit.latents, fit.groups) for fit in self.fits]
        self.whole = _Coordinates(
            [fit.latents for fit in self.fits],
            spreads,
            test.latents,
            test.latents - self._means_of_train(),
            tuple(leading[:, :m] for m in ALL_PCS),
        )

    def table(self, rows: Matrix, sizes: Sequence[int]) -> list[ProbeRow]:
        """Estimates for the first k of the rows ``(count, d)``, for each size k there is."""
        projected = self.whole.onto(rows)
        return [self._row(projected.first(k)) for k in sizes if k <= len(rows)]

    def all_dimensions(self) -> ProbeRow:
        """Estimates from the whole latent."""
        return self._row(self.whole)

    def _row(self, given: _Coordinates) -> ProbeRow:
        return ProbeRow(
            finding=_interval(self.finding(given)),
            view=_interval(self.view(given)),
            identity=_interval(self.identity(given, matched=True)),
            identity_any=_interval(self.identity(given, matched=False)),
        )

    def finding(self, given: _Coordinates) -> Estimate | None:
        """One finding against the rest, within source and view; mean over the findings."""
        return self._classify(
            given,
            [np.where(f.groups.compared, f.groups.findings, UNKNOWN) for f in self.fits],
            np.where(self.test.groups.compared, self.test.groups.findings, UNKNOWN),
            self.test.groups.strata,
        )

    def view(self, given: _Coordinates) -> Estimate | None:
        """AP against PA, over all images: not a finding, but to be told in the same way."""
        nowhere = np.zeros_like(self.test.views)
        return self._classify(given, [f.views for f in self.fits], self.test.views, nowhere)

    def identity(self, given: _Coordinates, *, matched: bool) -> Estimate | None:
        """Two images of one patient against two of two patients.

        Matched, those are of the same sources, views and findings, and the attacker knows these.
        """
        pairs, weights = self.pairs[matched], self.weights[matched]
        if pairs is None or weights is None or pairs.same.all():
            return None
        mean = given.fits[0].mean(axis=0)
        shown = given.centred if matched else given.test - mean
        scores = [cosine(shown[pairs.probe], shown[pairs.reference])]
        learnt = given.spreads if matched else [z - mean for z in given.fits]
        for z, fit in zip(learnt, self.fits, strict=True):
            if np.bincount(fit.groups.patients).max() < 2:
                continue
            for basis in given.bases:
                model = plda(z if basis is None else z @ basis, fit.groups.patients)
                turned = shown if basis is None else shown @ basis
                scores.append(model(turned[pairs.probe], turned[pairs.reference]))
        return _best(scores, lambda score, w: auc(score, pairs.same, w), weights)

    def _classify(
        self,
        given: _Coordinates,
        learnt: list[NDArray[np.int64]],
        labels: NDArray[np.int64],
        strata: NDArray[np.int64],
    ) -> Estimate | None:
        """The better classifier's mean AUC of one label against the rest; -1 is left out."""
        known = labels >= 0
        kinds, truth = np.unique(labels[known], return_inverse=True)
        if len(kinds) < 2:
            return None
        scores = []
        for z, theirs in zip(given.fits, learnt, strict=True):
            mine = np.isin(theirs, kinds)
            if len(np.unique(theirs[mine])) == len(kinds):
                index = np.searchsorted(kinds, theirs[mine])
                scores.append(lda(z[mine], index, given.test[known]))

        def mean_auc(score: Matrix, w: Matrix) -> Matrix:
            each = [auc(score[:, c], truth == c, w, strata[known]) for c in range(len(kinds))]
            return np.asarray(np.mean(each, axis=0))

        return _best(scores, mean_auc, self.resamples.images(known))

    def _means_of_train(self) -> Matrix:
        """Mean latent of each measured image's source, view and finding ``(n, d)``."""
        train = self.fits[0]
        cells = np.array(train.cells)
        overall = train.latents.mean(axis=0)
        means = {c: train.latents[cells == c].mean(axis=0) for c in set(train.cells)}
        return np.stack([means.get(cell, overall) for cell in self.test.cells])


def _interval(measured: Estimate | None) -> Interval | None:
    return None if measured is None else measured.rounded()


def _pairs(groups: Groups, *, matched: bool) -> Pairs | None:
    """All pairs of a patient's images, and pairs of two patients; None where there are none.

    Args:
        groups: Patients, strata and findings of the images.
        matched: Whether the images of two patients have the strata and findings of the true pair.
    """
    counts = np.unique(groups.patients, return_counts=True)[1]
    if len(counts) < 2 or counts.max() < 2:
        return None
    return Pairs.of(
        groups.patients, groups.cells, matched=matched, ordered=False, cap=None, redraw="both"
    )


def _best(
    scores: list[Matrix], measure: Callable[[Matrix, Matrix], Matrix], weights: Matrix
) -> Estimate | None:
    """The estimate of the score that measures highest."""
    if not scores:
        return None
    values = [float(np.nan_to_num(measure(score, weights[:1])[0], nan=-1.0)) for score in scores]
    return estimate(measure(scores[int(np.argmax(values))], weights))
