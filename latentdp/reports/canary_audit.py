"""What an audit by canaries found of a plan of releases, as a document."""

from __future__ import annotations

from msgspec import Struct

from latentdp.privacy.rounding import at_most, printed

__all__ = ["CanaryAudit"]


class CanaryAudit(Struct, frozen=True, kw_only=True):
    """A lower bound of what a method of synthesis loses, beside its claim.

    All of it is about replace-one: a canary is one of two opposite patients.

    Attributes:
        method: Of synthesis.
        delta: At which epsilon is read.
        claimed_mu: Everything that is released is claimed to be mu-GDP.
        claimed_epsilon: The same, in nats.
        found_mu: Lower bound, if the noise of different entries is independent.
        found_mu_by_run: Lower bound that assumes nothing of the noise.
        found_epsilon: What `found_mu` makes at the same delta, in nats.
        confidence: Of these bounds.
        canaries: Fair coins that were guessed.
        right: Of the guesses.
        runs: Independent ones, of as many canaries each.
        refuted: Whether a bound of a confidence of ``surely`` is above the claim.
        surely: That confidence: a verdict must hardly ever be wrong.
    """

    method: str
    delta: float
    claimed_mu: float
    claimed_epsilon: float
    found_mu: float
    found_mu_by_run: float
    found_epsilon: float
    confidence: float
    canaries: int
    right: int
    runs: int
    refuted: bool
    surely: float

    @property
    def problem(self) -> str:
        """What contradicts the claim, in a sentence; empty if nothing does."""
        if not self.refuted:
            return ""
        return (
            f"canaries, method {self.method}: mu is at least {self.found_mu:.3f} (epsilon "
            f"{self.found_epsilon:.3f}), above the claim of {at_most(self.claimed_mu, 3)} "
            f"(epsilon {printed(self.claimed_epsilon)})"
        )
