"""One audit: every look at one mechanism, beside its claim.

A lower bound above the claim is a proof of a mistake, up to the stated chance of a false alarm. A
lower bound below it proves nothing; the proof is the mechanism's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from latentdp.core.documents import JsonValue
from latentdp.privacy.audit.best_event import CONFIDENCE, clopper_pearson
from latentdp.privacy.audit.enumeration import Finding, agreement, claimed, enumerate_exactly
from latentdp.privacy.audit.likelihood_ratios import corners, ratio_agreement
from latentdp.privacy.audit.one_run import one_run
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.noise import Noise
from latentdp.privacy.samplers.uniform import normal

__all__ = ["CONFIDENCE", "LOOKS", "AuditReport", "audit"]

LOOKS = 4


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """What the audits of one mechanism found; every epsilon is in nats.

    Attributes:
        mechanism: What was audited.
        claim: Its guarantee, or its noise read at another delta.
        exact: By enumeration; None if there are too many outcomes.
        frequencies: Clopper-Pearson lower bound.
        one_run: Lower bound from one run on many canaries.
        sampler: Smallest p-value of the sampler's agreement with `log_likelihood`, corrected for
            the number of tests.
        confidence: Of each of the two bounds, and of the agreement.
    """

    mechanism: Mechanism
    claim: Guarantee
    exact: Finding | None
    frequencies: Finding
    one_run: Finding
    sampler: float
    confidence: float

    @property
    def problems(self) -> tuple[str, ...]:
        """What contradicts the claim, a sentence each; empty if nothing does."""
        problems = []
        looks = {
            "the exact loss": self.exact,
            "the Clopper-Pearson lower bound": self.frequencies,
            "the one-run lower bound": self.one_run,
        }
        for name, finding in looks.items():
            if finding is None or finding.ok:
                continue
            parts = [part for part, _ in finding.parts if not part.ok]
            worst = parts[0] if parts else finding
            what = f"{name}{' of a part' if parts else ''}"
            problems.append(
                f"{what} is meaningless: {worst.flaw}"
                if worst.flaw
                else f"{what}, {worst.found}, exceeds the claim of {worst.claim.epsilon}"
            )
        if self.sampler < 1 - self.confidence:
            problems.append(f"the sampler does not follow its formula (p = {self.sampler:.1e})")
        return tuple(problems)

    def describe(self) -> dict[str, JsonValue]:
        """As JSON values."""
        return {
            **self.mechanism.describe(),
            "claimed_epsilon": self.claim.epsilon,
            "delta": self.claim.delta,
            "exact_epsilon": None if self.exact is None else self.exact.found,
            "clopper_pearson_bound": self.frequencies.found,
            "one_run_bound": self.one_run.found,
            "sampler_p_value": self.sampler,
            "confidence": self.confidence,
            "problems": list(self.problems),
        }


def audit(
    mechanism: Mechanism,
    *,
    noise: Noise,
    trials: int = 100_000,
    confidence: float = CONFIDENCE,
    delta: float | None = None,
    looked: Callable[[], None] = lambda: None,
) -> AuditReport:
    """All audits of one mechanism.

    Args:
        mechanism: Any size; only small ones are enumerated.
        noise: `latentdp.privacy.noise.SystemNoise` for an audit; a seed makes a test repeatable.
        trials: Draws for each input, and number of canaries; at least 1000.
        confidence: Of each lower bound, at least 0.5.
        delta: At which the noise is read (`Mechanism.approximate`); None for the claim itself.
        looked: Called after each of the `LOOKS`.

    Raises:
        InputError: Too few trials, or no confidence.
    """
    frequencies = clopper_pearson(
        mechanism, noise=noise, trials=trials, confidence=confidence, delta=delta
    )
    looked()
    run = one_run(mechanism, noise=noise, canaries=trials, confidence=confidence, delta=delta)
    looked()
    exact = enumerate_exactly(mechanism, noise, delta)
    looked()
    sampler = _sampler(mechanism, noise, trials)
    looked()
    return AuditReport(
        mechanism=mechanism,
        claim=claimed(mechanism, delta),
        exact=exact,
        frequencies=frequencies,
        one_run=run,
        sampler=sampler,
        confidence=confidence,
    )


def _sampler(mechanism: Mechanism, noise: Noise, trials: int) -> float:
    """Every part that lists its outcomes against these; the whole by its likelihood ratios."""
    p_values: list[float | None] = []
    for part, _ in mechanism.parts:
        corner, _ = corners(part.dimensions)[0]
        for x in (corner, normal(noise, corner.shape)):
            p_values.append(agreement(part, x, noise=noise, trials=trials))
    corner, _ = corners(mechanism.dimensions)[0]
    ordinary = normal(noise, corner.shape)
    for pair in ((corner, ordinary), (ordinary, -ordinary)):
        p_values.append(ratio_agreement(mechanism, pair, noise=noise, trials=trials // 5))
    known = [p for p in p_values if p is not None]
    return float(min(1.0, min(known) * len(known)))
