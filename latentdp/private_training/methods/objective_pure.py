r"""Objective perturbation with a linear term whose density falls with its length: delta is 0.

Sensitivity. That of `objective`: a patient is one vector of a length of at most 1, whose loss has
first derivatives in [-1, 1] and second ones of at most 1 / 4. With a density of the linear term
proportional to exp(-|b| / s) (Chaudhuri, Monteleoni and Sarwate 2011, algorithm 2) every loss of
privacy is at most f log(1 + 1 / (4 R)) + 2 sqrt(f) / s between cohorts in which one patient
stands in another's place, without any delta: `latentdp.privacy.objective_perturbation` proves it.
The length of such a term grows with the number of weights, not with its root, so that it is far
noisier.
"""

from __future__ import annotations

from typing import ClassVar

from latentdp.private_training.methods.objective import ObjectivePerturbation

__all__ = ["PureObjectivePerturbation", "method"]


class PureObjectivePerturbation(ObjectivePerturbation):
    """With a term that needs no delta."""

    name: ClassVar[str] = "objective_pure"
    title: ClassVar[str] = "the same with a random term that needs no delta"
    source: ClassVar[str] = "Chaudhuri, Monteleoni and Sarwate 2011"
    pure: ClassVar[bool] = True


method = PureObjectivePerturbation
