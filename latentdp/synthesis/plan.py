"""What a synthesis spends on what: the noise of all of its releases, fixed beforehand.

Half of the budget (of mu^2) goes to the generator, the other half to the rounds of the head. Most
methods spend their half on the statistics, a single release; one that learns in rounds spends a
fifth of it there and the rest on its rounds, evenly. A tenth of delta goes to the names of
findings, unless they are declared public.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Self

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import GaussianAccountant, Rounds, mu_of
from latentdp.privacy.guarantee import Guarantee, Relation
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.reports.synthesis_card import SynthesisRecipe
from latentdp.synthesis.head import ROUNDS

__all__ = ["SynthesisPlan", "plan_of"]

NAMES = 0.1  # share of delta
FIRST = 0.2  # share of the generator's mu^2 that the statistics have beside rounds


@dataclass(frozen=True, kw_only=True)
class SynthesisPlan:
    """The releases of one synthesis, and what they cost each patient.

    Attributes:
        delta: Of the whole, in (0, 1).
        names_delta: The part of it with which a finding of one patient alone may be named; 0
            where names are declared public.
        statistics: The noise of the first release, of joint records.
        gradients: The noise of each round of the head.
        rounds: How many there are.
        steps: The rounds of the method after the statistics; None where it has none.

    Raises:
        InputError: The names take all of delta.
    """

    delta: float
    names_delta: float
    statistics: NoisySum
    gradients: NoisySum
    rounds: int = ROUNDS
    steps: Rounds | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.names_delta < self.delta < 1:
            raise InputError("expected a delta below 1, and a smaller one for names in it")

    @classmethod
    def calibrate(cls, epsilon: float, delta: float, *, declared: bool, steps: int = 0) -> Self:
        """The least noise that costs a patient at most (epsilon, delta), replace-one.

        Args:
            epsilon: In nats.
            delta: In (0, 1).
            declared: The names of findings are public.
            steps: Rounds of the method after the statistics.

        Raises:
            InputError: A budget that is none, or too small for any use.
        """
        names_delta = 0.0 if declared else NAMES * delta
        mu = mu_of(epsilon, delta - names_delta) / 2  # add-remove: half of replace-one
        while True:
            plan = cls(
                delta=delta,
                names_delta=names_delta,
                statistics=NoisySum.calibrate(mu * math.sqrt((FIRST if steps else 1) / 2)),
                gradients=NoisySum.calibrate(mu / math.sqrt(2 * ROUNDS)),
                steps=_steps(mu, steps),
            )
            if plan.guarantee(Relation.REPLACE_ONE).epsilon <= epsilon:
                return plan
            mu *= 1 - 1e-9

    @property
    def accountant(self) -> GaussianAccountant:
        """Of all releases."""
        own = () if self.steps is None else (self.steps,)
        return GaussianAccountant(
            (Rounds(self.statistics, 1), *own, Rounds(self.gradients, self.rounds))
        )

    def guarantee(self, relation: Relation) -> Guarantee:
        """Of a patient, over everything that is released."""
        noise = self.accountant.guarantee(self.delta - self.names_delta, relation)
        return replace(noise, delta=self.delta)


def plan_of(recipe: SynthesisRecipe) -> SynthesisPlan:
    """The least noise for what was asked for, by a method that has as many rounds as it says.

    Raises:
        InputError: No such method, or a budget as `SynthesisPlan.calibrate` refuses it.
    """
    method = plugins.load("synthesis methods", recipe.method).method
    return SynthesisPlan.calibrate(
        recipe.epsilon, recipe.delta, declared=bool(recipe.declared), steps=method.steps
    )


def _steps(mu: float, times: int) -> Rounds | None:
    """Of a method: what the statistics leave of the generator's half of mu^2."""
    if not times:
        return None
    return Rounds(NoisySum.calibrate(mu * math.sqrt((1 - FIRST) / (2 * times))), times)
