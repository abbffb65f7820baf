"""Methods of an evaluation on a small cohort, and learning that takes no time."""

import numpy as np

from latentdp.core.plugins import load
from latentdp.core.progress import silent
from latentdp.data.cohort import Cohort
from latentdp.evaluation.methods._adversarial import Adversarial
from latentdp.models.training.anonymizer import AdversarialConfig

LABELS = np.array([0, 1, 2, -1, 0])
TINY = AdversarialConfig(
    identity_steps=1, adversary_steps=2, rounds=4, pairs=4, save_every=0.0, widths=(4, 8)
)


def shrunk(method):
    if isinstance(method, Adversarial):
        method.training, method.features, method.levels = TINY, 2, 2
    return method


def cohort(n=16, seed=0, **changes) -> Cohort:
    """Two images of each of n people; those of one are alike."""
    rng = np.random.default_rng(seed)
    people = rng.random((n, 1, 16, 16)) * 0.8
    images = (people + 0.2 * rng.random((n, 2, 16, 16))).reshape(-1, 16, 16)
    fields = {
        "images": images.astype(np.float32),
        "patients": np.repeat(np.arange(n), 2),
        "labels": np.arange(2 * n) % 2,
        "findings": np.arange(2 * n) % 3 - 1,
        "finding_names": ("finding", "normal"),
        "views": np.array(["AP", "PA"] * n),
        "sexes": np.array(["F", "M"] * n),
        "sources": np.array(["here"] * (2 * n)),
        "ages": np.full(2 * n, 50.0),
    }
    return Cohort(**(fields | changes))


def fit(method, folder, train=None, val=None, seed=0, tell=silent):
    train, val = train or cohort(), val or cohort(seed=1)
    method.fit(train, val, seed=seed, state=folder / "state", tell=tell)
    return method


def group(kind, flow):
    return load("methods", kind).examples_for(flow)
