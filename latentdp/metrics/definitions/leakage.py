"""How much is found by readers of a family? Bits, and not rates."""

from __future__ import annotations

from latentdp.metrics.metric import Metric

__all__ = ["V_INFORMATION", "metrics"]

V_INFORMATION = Metric(
    "v-information",
    "bits found",
    "readers of this family find at most so many bits of the secret (V-information): which of a "
    "gallery it is, or which of two; 0 is nothing. The ceiling holds for every reader",
)

metrics = (V_INFORMATION,)
