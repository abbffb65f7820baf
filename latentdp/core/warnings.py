"""What a user is warned of in Python, by category; the command shows each as one line."""

from __future__ import annotations

__all__ = ["LatentDPWarning", "PluginWarning", "WeightsWarning"]


class LatentDPWarning(UserWarning):
    """Base of all warnings of latentdp; `warnings.filterwarnings` takes it."""


class PluginWarning(LatentDPWarning):
    """A plug-in of another package cannot be used, and is left out."""


class WeightsWarning(LatentDPWarning):
    """Weights of which something is missing or doubtful: what they release may show nothing."""
