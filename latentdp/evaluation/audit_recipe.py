"""The audit of all that a recipe's guarantee rests on, beside that of the mechanisms alone.

The response of the label is audited as a mechanism. The whole way from image to release is run on
a flow that hides nothing, where very many draws are cheap, and on the real one. No number of draws
refutes a large epsilon, and the code is the same at any; so it is run at a budget that they can
refute, and on the transparent flow at the recipe's own as well where draws reach that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from latentdp.core.progress import CountCallback
from latentdp.evaluation.audit_pipeline import PipelineLook, affordable, audit_pipeline
from latentdp.evaluation.transparent_flow import transparent
from latentdp.privacy.audit.best_event import CONFIDENCE
from latentdp.privacy.audit.report import AuditReport, audit
from latentdp.privacy.audit.set_of_answers import mechanism_of
from latentdp.privacy.noise import SystemNoise
from latentdp.privacy.randomized_response import LabelRelease
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe

__all__ = ["NOT_LOOKED_AT", "RecipeAudit", "audit_recipe"]

VISIBLE = 1.0  # nats, which a few hundred draws can refute
REACHED = 8.0  # nats, which some ten thousand draws of a transparent flow nearly refute

NOT_LOOKED_AT = (
    "images, labels and features other than these: a cleverer attacker may see more",
    "budgets at which no number of draws could refute anything: there the same code is run",
    "files: headers, names, the order of outputs, the detail of larger images, and the ledger",
    "forked processes, and the random bits of the operating system",
)


@dataclass(frozen=True, kw_only=True)
class RecipeAudit:
    """What was found of one recipe.

    Attributes:
        response: Of the label, at the recipe's own budget; None where it is not released so.
        looks: At the whole way, on one flow and budget after the other.
    """

    response: AuditReport | None
    looks: tuple[PipelineLook, ...]


def audit_recipe(
    recipe: Recipe,
    *,
    trials: int,
    images: int,
    confidence: float = CONFIDENCE,
    advance: CountCallback = lambda done, total: None,
) -> RecipeAudit:
    """All of it.

    Args:
        recipe: For which weights are there.
        trials: Draws for each input of the label's response; a fifth as many of the transparent
            flow, fewer where a mechanism takes long.
        images: Draws for each input of each look with the recipe's weights; 0 for none.
        confidence: Of each bound, at least 0.5.
        advance: Told of hundredths of runs that are done, and of how many there will be.

    Raises:
        InputError: Too few trials, no confidence, or a recipe that the weights cannot follow.
        WeightsError: There are no such weights.
    """
    small = replace(recipe, epsilon=min(recipe.epsilon, VISIBLE))
    loaded = Privatizer.from_recipe(small) if images else None
    runs = [] if loaded is None else [(loaded, images)]
    for budget in sorted({small.epsilon, min(recipe.epsilon, REACHED)}):
        open_privatizer = transparent(replace(recipe, epsilon=budget))
        runs.append((open_privatizer, affordable(open_privatizer.plan, trials // 5)))
    response = None
    if recipe.label == LabelRelease.RESPONSE:
        own = transparent(recipe) if loaded is None else Privatizer(loaded.flow, recipe)
        assert own.plan.response is not None
        mechanism = mechanism_of(own.plan.response)
        response = audit(mechanism, noise=SystemNoise(), trials=trials, confidence=confidence)
    looks: list[PipelineLook] = []
    for i, (privatizer, draws) in enumerate(runs):

        def drawn(done: int, total: int, before: int = i) -> None:
            advance(100 * before + 100 * done // total, 100 * len(runs))

        looks += audit_pipeline(privatizer, draws=draws, confidence=confidence, advance=drawn)
    return RecipeAudit(response=response, looks=tuple(looks))
