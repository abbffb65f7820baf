"""All that is measured of a synthetic set, in turn; what cannot be says why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.arrays import Images
from latentdp.core.cache import ResultCache
from latentdp.core.filesystem import digest
from latentdp.core.progress import CountCallback, ProgressCallback, part
from latentdp.models.checkpoints import find, shipped
from latentdp.models.flow.flow import Flow
from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.models.networks.verifier import Verifier, shipped_verifier
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import permutation
from latentdp.reports.canary_audit import CanaryAudit
from latentdp.reports.evaluation_parts import Unavailable, UsedVerifier
from latentdp.reports.results import Measure, Outcome
from latentdp.synthesis.evaluation import copying, fidelity, utility
from latentdp.synthesis.evaluation.canaries import audit_plan
from latentdp.synthesis.evaluation.effort import QUICK, WHOLE
from latentdp.synthesis.evaluation.membership import ATTACK, on_release, on_shadows, too_few
from latentdp.synthesis.evaluation.people import BothGroups, as_learnt
from latentdp.synthesis.evaluation.shadows import DRAWN, members_of, shadow_releases
from latentdp.synthesis.evaluation.subjects import Subjects
from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet
from latentdp.synthesis.public import PublicModel, thumbnails
from latentdp.synthesis.readers import Lecture
from latentdp.synthesis.vectors import PatientImages

__all__ = ["Session", "SetMeasures"]

Matrix = NDArray[np.float64]

FEWEST_MEMBERS = 10  # patients, half of whom are members of a shadow
BATCH = 64  # images that are encoded together
NEEDS_OTHERS = "give --test: labelled images of patients who were not learnt from"


@dataclass(kw_only=True)
class SetMeasures:
    """What was found; the attributes as of `SyntheticEvaluation`."""

    utility: tuple[Measure, ...] = ()
    fidelity: tuple[Measure, ...] = ()
    nearest: tuple[Measure, ...] = ()
    copying: tuple[Outcome, ...] = ()
    membership: tuple[Outcome, ...] = ()
    sharing: tuple[Outcome, ...] = ()
    canaries: CanaryAudit | None = None
    verifier: UsedVerifier | None = None
    unmeasured: tuple[Unavailable, ...] = ()


class Session:
    """One set and the people around it.

    Args:
        released: The set.
        people: Who was learnt from, and others.
        flow: Of its weights.
        folder: Private; latents and networks are kept there for the next time.
        quick: A first look.
        seed: Of everything random.
        verifier: Weights; empty for the shipped ones that fit.
    """

    def __init__(
        self,
        released: SyntheticSet,
        people: BothGroups,
        flow: Flow,
        folder: Path,
        *,
        quick: bool,
        seed: int,
        verifier: str,
    ) -> None:
        self.released, self.people, self.flow, self.folder = released, people, flow, folder
        self.quick, self.seed = quick, seed
        self.effort = QUICK if quick else WHOLE
        self._verifier = verifier or shipped_verifier(flow.shape[0])
        self._cover = released.cover(people.cohort.images)
        self._missing: list[Unavailable] = []

    def measure(self, tell: ProgressCallback) -> SetMeasures:
        """Everything that can be."""
        found = SetMeasures()
        found.utility = self._useful(part(tell, 0.0, 0.4))
        if self.people.test is None:
            for name in ("fidelity", "copying", "membership in this release"):
                self._lacks(name, NEEDS_OTHERS)
        else:
            tell(0.4, "comparing features")
            found.fidelity, found.copying, found.nearest = self._alike(self.people.test)
            if found.fidelity:
                found.verifier = self._used()
        found.membership = self._members(part(tell, 0.45, 0.9))
        found.canaries = self._canaries(part(tell, 0.9, 1.0))
        found.unmeasured = tuple(self._missing)
        return found

    def _lacks(self, name: str, why: str) -> None:
        self._missing.append(Unavailable(name=name, why=why))

    def _useful(self, tell: ProgressCallback) -> tuple[Measure, ...]:
        tested, released = self.people.test, self.released
        if tested is None or released.generator.head is None:
            why = NEEDS_OTHERS if tested is None else "the set names no finding"
            self._lacks("utility", why)
            return ()
        sample = utility.TestSample(tested, released.findings, self.seed)
        if not sample.measured(np.ones(len(tested), dtype=np.bool_)):
            self._lacks(
                "utility",
                f"no finding of the set is shown by {utility.FEWEST} images of --test, and not "
                f"by {utility.FEWEST}",
            )
            return ()
        cohort = self.people.cohort
        lectures = {
            "p/o": Lecture(
                images=self._covered(released.images),
                shown=released.shown,
                probabilities=released.probabilities,
            ),
            "o/o": Lecture(
                images=self._covered(cohort.images[cohort.read]),
                shown=cohort.shown(released.findings)[cohort.read],
            ),
        }
        if self.quick:
            self._lacks("networks as readers", "left out by --quick")
        measures: list[Measure] = []
        tell(0.0, "teaching readers")
        for scores in utility.read_by_all(
            released,
            lectures,
            self.flow,
            tested,
            self._cover,
            ClassifierCache(self.folder / "classifiers"),
            quick=self.quick,
            seed=self.seed,
            tell=tell,
        ):
            measures += utility.rate(scores, sample)
        return tuple(measures)

    def _alike(
        self, tested: Subjects
    ) -> tuple[tuple[Measure, ...], tuple[Outcome, ...], tuple[Measure, ...]]:
        """Fidelity, copies, and the distances that these rest on."""
        cohort, synthetic = self.people.cohort, self.released.images
        n = min(self.effort.compared, cohort.count, tested.count)
        if n < min(fidelity.FEWEST, copying.FEWEST) or len(synthetic) < n:
            why = f"needs {fidelity.FEWEST} patients of either side, and as many images"
            self._lacks("fidelity", why)
            self._lacks("copying", why)
            return (), (), ()
        sides = [
            self._covered(group.images[group.one_each(n, self.seed)]) for group in (cohort, tested)
        ]
        images = self._covered(synthetic[: self.effort.compared])
        verifier = Verifier.load(self._verifier)
        by_network = [verifier(side) for side in (images, *sides)]
        by_pixels = [_pixels(side) for side in (images, *sides)]
        alike = fidelity.fidelity(
            by_network[1],
            {"the set": by_network[0][:n], "other patients' originals": by_network[2]},
            self.seed,
        )
        found: list[Outcome] = []
        nearest: list[Measure] = []
        for ruler, (ours, first, second), verifies in (
            ("a verifier", by_network, True),
            ("16 x 16 pixels (root mean square, grey levels)", by_pixels, False),
        ):
            galleries = copying.Galleries(
                ruler=ruler, synthetic=ours, cohort=first, others=second, verifies=verifies
            )
            outcomes, measures = copying.copies(galleries, self.seed)
            found += outcomes
            nearest += measures
        return tuple(alike), tuple(found), tuple(nearest)

    def _members(self, tell: ProgressCallback) -> tuple[Outcome, ...]:
        released, everyone = self.released, self.people.cohort
        if everyone.count < FEWEST_MEMBERS:
            self._lacks(
                "membership", f"needs {FEWEST_MEMBERS} patients, there are {everyone.count}"
            )
            return ()
        tell(0.0, "encoding the cohort")
        cohort = self.cohort
        chosen = np.zeros(everyone.count, dtype=np.bool_)
        lot = permutation(SeededNoise(self.seed), everyone.count)
        chosen[lot[: self.effort.members]] = True
        synthesis, plan = released.generator.synthesis, released.plan
        method = plugins.load("synthesis methods", synthesis.recipe.method).method
        shadows = shadow_releases(
            method(self.public, len(self.people.vocabulary)),
            plan,
            members_of(cohort, chosen),
            declared=bool(synthesis.recipe.declared),
            shadows=self.effort.shadows,
            seed=self.seed,
            progress=_counted(tell, "shadow releases"),
        )
        found = on_shadows(
            shadows,
            mu=plan.accountant.mu(Relation.ADD_REMOVE),
            delta=plan.names_delta,
            seed=self.seed,
        )
        if lacking := too_few(shadows):
            self._lacks(ATTACK, lacking)
        if self.people.test is not None:
            others = self.people.test
            latents = self._latents("others", others)
            drawn = released.generator.mixture.draw(
                SeededNoise(self.seed), DRAWN, cohort.latents.shape[1]
            )
            rest = as_learnt(others, latents, self.people.vocabulary)
            found += on_release(drawn, cohort, rest, self.seed)
        return tuple(found)

    def _canaries(self, tell: ProgressCallback) -> CanaryAudit:
        return audit_plan(
            self.public,
            self.released.generator.synthesis.recipe.method,
            self.released.plan,
            noise=SeededNoise(self.seed),
            canaries=self.effort.canaries,
            exact=False,
            progress=_counted(tell, "canaries in a public cohort"),
        )

    @cached_property
    def public(self) -> PublicModel:
        """What methods know of the flow."""
        return PublicModel.of(self.flow)

    @cached_property
    def cohort(self) -> PatientImages:
        """Who was learnt from, as methods see them: **private**."""
        own = self.people.cohort
        return as_learnt(own, self._latents("cohort", own), self.people.vocabulary)

    def _covered(self, images: Images) -> Images:
        return self._cover.images(images)

    def _latents(self, name: str, group: Subjects) -> Matrix:
        """Coarse latents of a group, encoded once."""
        sha256 = hashlib.sha256(f"{self.flow.sha256} {group.images.shape}".encode())
        sha256.update(np.ascontiguousarray(group.images).data)
        cache = ResultCache(self.folder / sha256.hexdigest()[:16])

        def encode() -> dict[str, NDArray[np.float64]]:
            coarse = self.flow.levels[0]
            parts = [
                self.flow.encode(group.images[start : start + BATCH])[:, coarse]
                for start in range(0, len(group), BATCH)
            ]
            return {"latents": np.concatenate(parts)}

        return np.asarray(cache.arrays(name, encode)["latents"])

    def _used(self) -> UsedVerifier:
        known = self._verifier if self._verifier in shipped() else "not shipped"
        return UsedVerifier(name=known, sha256=digest(find(self._verifier)))


def _pixels(images: Images) -> Matrix:
    """Vectors whose distance is the root mean square of grey levels."""
    flat = thumbnails(images).reshape(len(images), -1).astype(np.float64)
    return np.asarray(flat / np.sqrt(flat.shape[1]))


def _counted(tell: ProgressCallback, words: str) -> CountCallback:
    return lambda done, total: tell(done / total, words)
