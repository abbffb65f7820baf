"""What every mechanism must do, as functions that say what is wrong; nothing, if nothing is.

They look from outside only: inputs, outputs, stated probabilities and the claim. The same
functions are run on broken mechanisms, which they must catch. All noise comes from fixed seeds,
so a law that holds once holds always; each test inside a law has a false-alarm rate of 1e-6.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from latentdp.errors import InputError
from latentdp.privacy.audit.best_event import clopper_pearson
from latentdp.privacy.audit.enumeration import FAR, agreement, enumerate_exactly
from latentdp.privacy.audit.likelihood_ratios import corners, ratio_agreement
from latentdp.privacy.audit.one_run import one_run
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.noise import SeededNoise

ALARM = 1e-6
TRIALS = 20_000
LARGE_DELTA = 0.01  # at which so many trials can see something
WRONG = "{what}: {found} is above the claim {claim}"

Law = Callable[[Any], str]


class Replay:
    """Each call starts its own stream, so one row gets the same words alone and in a batch."""

    secure = False

    def __init__(self) -> None:
        self.calls = 0

    def words(self, n: int) -> np.ndarray:
        self.calls += 1
        return SeededNoise(self.calls).words(100_000)[:n]


def ordinary(mechanism: Any, n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, mechanism.dimensions))


def adversarial(mechanism: Any) -> np.ndarray:
    values = [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, FAR, -FAR, 5e-324, 0.0, 5.0]
    rows = np.array(values)[:, None] * np.ones(mechanism.dimensions)
    mixed = np.resize(values, mechanism.dimensions)
    return np.concatenate([rows, mixed[None]])


# --- Laws without chance ----------------------------------------------------------------------


def finite_for_any_input(mechanism: Any) -> str:
    z = adversarial(mechanism)
    perturbed = mechanism.perturb(z, SeededNoise(0))
    if not np.isfinite(perturbed).all():
        return "the perturbed latent is not finite"
    if not np.isfinite(mechanism.log_likelihood(z, perturbed)).all():
        return "what was drawn is impossible, says the likelihood"
    out = mechanism.privatize(z, noise=SeededNoise(0))
    return "" if out.shape == z.shape and np.isfinite(out).all() else "the output is not finite"


def input_is_untouched(mechanism: Any) -> str:
    z = adversarial(mechanism)
    before = z.copy()
    perturbed = mechanism.perturb(z, SeededNoise(0))
    mechanism.log_likelihood(z, perturbed)
    mechanism.repair(perturbed.copy(), SeededNoise(0))
    return "" if np.array_equal(z, before, equal_nan=True) else "the input was changed"


def mates_and_order_do_not_change_a_likelihood(mechanism: Any) -> str:
    z = np.concatenate([adversarial(mechanism), ordinary(mechanism, 9)])
    perturbed = mechanism.perturb(z, SeededNoise(0))
    together = mechanism.log_likelihood(z, perturbed)
    alone = [mechanism.log_likelihood(z[[i]], perturbed[[i]])[0] for i in range(len(z))]
    if not np.allclose(together, alone, rtol=1e-9, atol=1e-9):
        return "a row's likelihood depends on its batch"
    order = np.random.default_rng(0).permutation(len(z))
    permuted = mechanism.log_likelihood(z[order], perturbed[order])
    return "" if np.allclose(permuted, together[order]) else "it depends on the order"


def card_gives_the_guarantee_back(mechanism: Any) -> str:
    card = json.loads(json.dumps(mechanism.describe()))
    made = type(mechanism).from_card(card)
    return "" if made.guarantee == mechanism.guarantee else "the card tells another guarantee"


def exact_loss_is_within_the_claim(mechanism: Any) -> str:
    """At its own delta, and read at two others; where outcomes or those of parts are few."""
    for delta in (None, 1e-6, LARGE_DELTA):
        found = enumerate_exactly(mechanism, SeededNoise(3), delta)
        if found is not None and not found.ok:
            return found.flaw or WRONG.format(
                what="exact loss", found=found.found, claim=found.claim
            )
    return ""


# --- Laws with chance -------------------------------------------------------------------------


def randomness_is_fresh(mechanism: Any) -> str:
    """Equal rows of one batch get equal noise as rarely as equal calls do, and not always.

    Of 64 calls on 64 equal rows; a gap of 0.1 is more than 8 standard errors.
    """
    noise = SeededNoise(0)
    rows = np.repeat(ordinary(mechanism, 1), 64, axis=0)
    out = np.stack([mechanism.perturb(rows, noise) for _ in range(64)])
    within = (out[:, 1:] == out[:, :-1]).all(axis=2).mean()
    across = (out[1:] == out[:-1]).all(axis=2).mean()
    if within == across == 1:
        return "the output never changes"
    return "" if abs(within - across) < 0.1 else f"equal rows {within:.2f}, calls {across:.2f}"


def sampler_follows_the_likelihood(mechanism: Any) -> str:
    """Chi-square over the outcomes where these are few; over likelihood ratios everywhere."""
    pairs = [*corners(mechanism.dimensions), tuple(ordinary(mechanism, 2)[:, None])]
    for x in (pairs[0][0], pairs[-1][0]):
        p = agreement(mechanism, x, noise=SeededNoise(5), trials=TRIALS)
        if p is not None and p < ALARM:
            return f"outcomes have other frequencies than stated (p = {p:.1e})"
    for pair in pairs:
        p = ratio_agreement(mechanism, pair, noise=SeededNoise(6), trials=TRIALS)
        if p < ALARM:
            return f"frequencies have another ratio than stated (p = {p:.1e})"
    return ""


def mates_do_not_change_the_distribution(mechanism: Any) -> str:
    """Chi-square among adversarial mates; where that is too large, Kolmogorov-Smirnov for two."""
    mine, other = ordinary(mechanism, 2)[:, None]
    mates = adversarial(mechanism)
    p = agreement(mechanism, mine, noise=SeededNoise(7), trials=TRIALS, mates=mates)
    if p is None:
        rows = np.repeat(mine, TRIALS, axis=0)
        alone = mechanism.perturb(rows, SeededNoise(8))
        among = mechanism.perturb(np.concatenate([mates, rows, mates]), SeededNoise(9))
        scores = [
            mechanism.log_likelihood(mine, y) - mechanism.log_likelihood(other, y)
            for y in (alone, among[len(mates) : -len(mates)])
        ]
        p = stats.ks_2samp(*scores).pvalue
    return "" if p > ALARM else f"a row's distribution depends on its batch (p = {p:.1e})"


def bounds_are_within_the_claim(mechanism: Any) -> str:
    """The lower bounds of both audits, at confidence 1 - 1e-6."""
    deltas = (None, LARGE_DELTA) if mechanism.guarantee.delta else (None,)
    for delta in deltas:
        for what in (clopper_pearson, one_run):
            size = {"trials": TRIALS} if what is clopper_pearson else {"canaries": TRIALS}
            found = what(mechanism, noise=SeededNoise(10), delta=delta, **size)
            if not found.ok:
                return WRONG.format(what=what.__name__, found=found.found, claim=found.claim)
    return ""


LAWS: dict[str, Law] = {
    law.__name__: law
    for law in (
        finite_for_any_input,
        input_is_untouched,
        mates_and_order_do_not_change_a_likelihood,
        card_gives_the_guarantee_back,
        exact_loss_is_within_the_claim,
        randomness_is_fresh,
        sampler_follows_the_likelihood,
        mates_do_not_change_the_distribution,
        bounds_are_within_the_claim,
    )
}


# --- Laws of a kind of mechanism, and of the whole --------------------------------------------


def calibration_spends_the_budget(kind: Any, epsilon: float, dimensions: int) -> str:
    """At most epsilon, and at least 90 % of it, or all that the mechanism can spend."""
    try:
        spent = kind.calibrate(epsilon, dimensions).guarantee.epsilon
    except InputError as refusal:
        return "" if "dimensions" in str(refusal) else f"it refuses without a reason: {refusal}"
    if spent > epsilon:
        return f"{spent} of {epsilon} were spent"
    most = spent if spent > 0.9 * epsilon else kind.calibrate(2 * epsilon, dimensions)
    saturated = most if isinstance(most, float) else most.guarantee.epsilon
    return "" if saturated <= spent * 1.001 else f"only {spent} of {epsilon} were spent"


def repaired_latents_are_normal_again(mechanism: Any, n: int = 500) -> str:
    """Mean 0 within 0.3 and variance 1 within 0.4 in each element: 6 standard errors."""
    z = ordinary(mechanism, n)
    out = mechanism.repair(mechanism.perturb(z, SeededNoise(12)), SeededNoise(13))
    mean, variance = np.abs(out.mean(axis=0)).max(), np.abs(out.var(axis=0) - 1).max()
    return "" if mean < 0.3 and variance < 0.4 else f"mean off by {mean}, variance by {variance}"


class AlwaysOne:
    """A response that always tells the same."""

    guarantee = Guarantee(epsilon=0.5)

    def respond(self, labels: np.ndarray, noise: Any) -> np.ndarray:
        return np.ones_like(labels)


def decoder_sees_the_released_label_only(make: Callable[[], Any], images: np.ndarray) -> str:
    """Whatever the true label: under the same noise, the same released label gives one image.

    Args:
        make: A fresh privatizer that releases labels by response, with seeded noise.
        images: ``(n, h, w)``.
    """
    found = []
    for true in range(3):
        made = make()
        made = made.with_plan(replace(made.plan, response=AlwaysOne()))
        found.append(made(images, labels=np.full(len(images), true)).images)
    same = all(np.array_equal(found[0], image) for image in found[1:])
    return "" if same else "one released label gives an image for each true one"
