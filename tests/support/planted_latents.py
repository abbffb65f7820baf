"""Latents with a planted finding, source and patient, and directions of them."""

import numpy as np

from latentdp.metrics.scatter import Groups
from latentdp.models.directions.finding import DirectionConfig, Scatters

D = 48
FINDING, BOTH, SOURCE, PATIENT = 3, 7, 11, 15  # coordinates with something planted


def planted(n: int = 4000, seed: int = 0, *, per_patient: int = 2, gap: float = 1.2):
    """Unit-variance latents: a finding, one that also tells the patient, a patient, a source.

    Each patient has one finding, as in real data; all rare findings come from source 0.
    """
    rng = np.random.default_rng(seed)
    patients = np.arange(n) // per_patient
    count = int(patients.max()) + 1
    sources = rng.integers(0, 2, count)
    findings = np.where(sources == 0, rng.integers(0, 2, count), 0)
    identity = rng.normal(size=(count, D))
    z = rng.normal(size=(n, D))
    for column, share in ((BOTH, 0.8), (PATIENT, 0.8)):
        mixed = np.sqrt(share) * identity[patients, column] + np.sqrt(1 - share) * z[:, column]
        z[:, column] = mixed
    for column in (FINDING, BOTH):
        z[:, column] += gap * findings[patients]
    z[:, SOURCE] += 4 * sources[patients]
    groups = Groups.of(findings[patients], [f"s{s}" for s in sources[patients]], patients)
    return z, groups


def found(z, groups, **changes):
    scatters = Scatters.of(z, groups)
    assert scatters is not None
    return scatters.directions(DirectionConfig(**({"alpha": 0.5, "gamma": 0.9} | changes)))
