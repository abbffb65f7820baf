"""A recipe on given weights as a plan: what happens to each part of a latent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentdp.core import plugins
from latentdp.core.attributes import Attribute
from latentdp.errors import InputError
from latentdp.privacy.basis import Basis
from latentdp.privacy.plan import Action, Block, Plan
from latentdp.privacy.randomized_response import LabelRelease, RandomisedResponse
from latentdp.privacy.set_response import SetResponse
from latentdp.recipe import ALL, Recipe

__all__ = ["make_plan"]


def make_plan(
    recipe: Recipe,
    *,
    d: int,
    directions: NDArray[np.float64],
    attributes: Sequence[Attribute],
    identity: NDArray[np.float64] | None = None,
    layout: NDArray[np.float64] | None = None,
) -> Plan:
    """The plan of a recipe.

    Args:
        recipe: What to spend on what.
        d: Size of the latent.
        directions: ``(k, d)`` orthonormal rows, those that say most about the label first; a
            public constant of the weights.
        attributes: That labels of the weights say; classes are one without a name.
        identity: ``(m, d)`` orthonormal rows, those that say most about the patient first;
            None for none.
        layout: ``(l, d)`` rows, how the parts of a picture move with the latent; None for none.

    Raises:
        InputError: The weights cannot do what the recipe asks, or the budget is too small.
    """
    label = LabelRelease(recipe.label)
    if label is not LabelRelease.NONE and max(len(one.values) for one in attributes) < 2:
        raise InputError("these weights know no classes, so no label can be released")
    kept, whole = recipe.keep_label_dims, recipe.directions == ALL
    spent = max(d - kept, 0) if whole else recipe.directions
    if (kept if whole else kept + spent) > len(directions):
        raise InputError(
            f"these weights carry {len(directions)} public directions, too few for {kept} "
            f"kept and {0 if whole else spent} protected ones; `latentdp weights add-directions` "
            "computes them"
        )
    response: RandomisedResponse | SetResponse | None = None
    budget = recipe.epsilon
    if label is LabelRelease.RESPONSE:
        response = _response(
            recipe, recipe.epsilon * (1.0 if spent == 0 else recipe.label_share), attributes
        )
        budget = (budget - response.guarantee.epsilon) * (1 - 1e-12)  # the sum is rounded up
    if recipe.resample_identity:
        personal = _identity(recipe, directions[:kept], identity)
        findings = directions[:kept]
        apart = np.concatenate([findings, personal])
        if recipe.keep_layout is None:
            directions = apart
            rest = d - len(apart)
            parts = [(Action.KEEP, kept), (Action.RESAMPLE, len(personal)), (Action.KEEP, rest)]
        else:
            shape = _layout(recipe.keep_layout, apart, layout)
            directions = np.concatenate([findings, shape])
            parts = [(Action.KEEP, len(directions)), (Action.RESAMPLE, d - len(directions))]
    else:
        rest = d - kept - spent
        parts = [(Action.KEEP, kept), (Action.MECHANISM, spent), (Action.RESAMPLE, rest)]
    blocks = []
    for action, size in parts:
        if size == 0:
            continue
        mechanism = None
        if action is Action.MECHANISM:
            kind = plugins.load("mechanisms", recipe.mechanism).mechanism
            mechanism = kind.calibrate(budget, size, recipe.clip)
        blocks.append(Block(action=action, size=size, mechanism=mechanism))
    return Plan(
        d=d,
        blocks=tuple(blocks),
        label=label,
        several=label is LabelRelease.PUBLIC and bool(attributes[0].name),
        response=response,
        temperature=recipe.temperature,
        # One block is the same in any basis; per-element noise then is on latent elements.
        basis=Basis(directions) if len(blocks) > 1 else None,
    )


def _response(
    recipe: Recipe, epsilon: float, attributes: Sequence[Attribute]
) -> RandomisedResponse | SetResponse:
    """Of a class, or of each attribute that is released."""
    if recipe.release_findings:
        return SetResponse.calibrate(epsilon, attributes, recipe.release_findings)
    if attributes[0].name:
        raise InputError("expected a recipe that names the attributes that are released")
    return RandomisedResponse.calibrate(epsilon, len(attributes[0].values))


def _identity(
    recipe: Recipe, kept: NDArray[np.float64], identity: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Orthonormal rows ``(m, d)`` of identity less what of them lies in the kept ones."""
    if identity is None or not len(identity):
        raise InputError(
            "these weights carry no directions of identity; `latentdp weights add-directions` "
            "computes them"
        )
    count = recipe.resample_identity
    rows = identity[:count] - (identity[:count] @ kept.T) @ kept
    basis: NDArray[np.float64] = np.linalg.qr(rows.T)[0].T
    return basis - (basis @ kept.T) @ kept


def _layout(
    count: int, apart: NDArray[np.float64], layout: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Orthonormal rows ``(count, d)`` that move the layout most and have nothing in common.

    Args:
        count: How many.
        apart: ``(k, d)`` orthonormal rows that they have nothing in common with.
        layout: ``(l, d)``.
    """
    whole = np.zeros((0, apart.shape[1])) if layout is None else layout
    rows = whole - (whole @ apart.T) @ apart
    _, moved, directions = np.linalg.svd(rows, full_matrices=False)
    left = int((moved > 1e-6 * np.linalg.norm(whole)).sum())  # less is rounding
    if count > left:
        raise InputError(
            f"these weights have {left} directions of layout apart from those of findings and "
            f"identity, too few to keep {count}"
            + ("; resample fewer of identity" if left < count <= len(whole) else "")
        )
    kept: NDArray[np.float64] = directions[:count]
    return kept - (kept @ apart.T) @ apart
