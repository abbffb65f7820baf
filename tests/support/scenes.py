"""Small scenes for attacks and utility: people and their private images."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from latentdp import Privatizer
from latentdp.data.cohort import Cohort
from latentdp.evaluation.threat_model import Effort, FileFacts, PairedImages, ThreatModel

QUICK = Effort(restarts=1, steps=20, resamples=100, copies=4, seeds=1)


@dataclass(frozen=True)
class LeastEffort(Effort):
    """What commands give attackers and readers while the fixture ``least_effort`` is in use."""

    restarts: int = 2
    steps: int = 4
    patients: int = 16
    resamples: int = 60
    copies: int = 3
    seeds: int = 1
    reader_steps: int = 12

    @classmethod
    def quick(cls) -> Effort:
        return cls()


def people(patients: int, each: int = 3, *, seed: int = 0, size: int = 16) -> Cohort:
    """Every patient has a coarse pattern, every image a bit of its own, and noise.

    A finding is a bright corner, men are darker below, the old are brighter at the right.
    """
    rng = np.random.default_rng(seed)
    n = patients * each
    who = np.repeat(np.arange(patients), each)
    coarse = rng.normal(size=(patients, 4, 4))[who] + 0.3 * rng.normal(size=(n, 4, 4))
    images = 0.5 + 0.1 * np.kron(coarse, np.ones((size // 4, size // 4)))
    male = rng.integers(0, 2, patients)[who]
    ages = rng.integers(20, 90, patients)[who].astype(float)
    findings = rng.integers(0, 2, n)
    images[:, : size // 4, : size // 4] += 0.5 * (findings == 0)[:, None, None]
    images[:, size // 2 :] -= 0.2 * male[:, None, None]
    images[:, :, size // 2 :] += 0.2 * (ages > 55)[:, None, None]
    images += 0.02 * rng.normal(size=images.shape)
    return Cohort(
        images=np.clip(images, 0, 1).astype(np.float32),
        patients=who.astype(np.int64),
        labels=findings.astype(np.int64),
        findings=findings.astype(np.int64),
        finding_names=("finding", "normal"),
        views=np.array(["PA", "AP"])[rng.integers(0, 2, n)],
        sexes=np.array(["F", "M"])[male],
        sources=np.full(n, "x"),
        ages=ages,
    )


Change = Callable[[Cohort, np.random.Generator], np.ndarray]


def noise_only(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    return rng.random(cohort.images.shape).astype(np.float32)


def untouched(cohort: Cohort, rng: np.random.Generator) -> np.ndarray:
    return cohort.images.copy()


def scene(
    change: Change, *, patients: int = 40, practised: int = 60, seed: int = 0, **more
) -> ThreatModel:
    """Target and practice that were changed alike."""
    sides = []
    for i, count in enumerate((patients, practised)):
        cohort = people(count, seed=2 * seed + i)
        private = change(cohort, np.random.default_rng(100 + 2 * seed + i))
        sides.append(
            PairedImages(
                cohort=cohort, private=private[None], labels=np.full((1, len(cohort)), -1)
            )
        )
    given = {"effort": QUICK, "seed": seed} | more
    return ThreatModel(target=sides[0], practice=sides[1], **given)


def released(
    privatizer: Privatizer, *, patients: int = 40, practised: int = 40, **more
) -> ThreatModel:
    """Target and practice that a privatizer released."""
    base = scene(untouched, patients=patients, practised=practised, **more)

    def side(of: PairedImages) -> PairedImages:
        out = privatizer(of.cohort.images, labels=of.cohort.labels)
        return replace(of, private=out.images[None], labels=out.labels[None])

    def again(k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cohort = base.target.cohort.take(rows)
        outs = [privatizer(cohort.images, labels=cohort.labels) for _ in range(k)]
        return np.stack([o.images for o in outs]), np.stack([o.labels for o in outs])

    return replace(
        base,
        target=side(base.target),
        practice=side(base.practice),
        guarantee=privatizer.guarantee,
        privatizer=privatizer,
        more=again,
    )


def with_files(base: ThreatModel, original: dict, private: dict) -> ThreatModel:
    return replace(base, files=FileFacts(original=original, private=private))
