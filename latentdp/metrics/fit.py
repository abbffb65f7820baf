"""How well weights fit a folder: the share of its images that they find odd. Private."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["POOR", "Fit"]

POOR = 0.05  # of images; weights find a few in a thousand of their own validation images odd


@dataclass(frozen=True)
class Fit:
    """Of a folder to the weights.

    The share is a number of people's images without noise: for the eyes of their owner.

    Attributes:
        odd: Number of images that are unlike what the weights learnt from.
        rated: Number of images that were rated.

    Example:
        >>> Fit(odd=4, rated=40).poor
        True
        >>> Fit(odd=0, rated=0).share
        0.0
    """

    odd: int
    rated: int

    @property
    def share(self) -> float:
        """Of the rated images, in [0, 1]; 0 if there are none."""
        return self.odd / self.rated if self.rated else 0.0

    @property
    def poor(self) -> bool:
        """Whether more are odd than of a folder that the weights know."""
        return self.share > POOR

    @property
    def words(self) -> str:
        """A sentence for the steward, and what to do."""
        images = f"{self.odd} of {self.rated} images"
        if not self.poor:
            return f"{images} are unlike what the weights learnt from"
        return (
            f"{images} ({self.share:.0%}) are unlike what the weights learnt from, which find "
            "about 1 in 1,000 of their own odd. What is drawn of them looks like the weights' "
            "hospital, not like yours: look at them; latentdp synthesize learns from your "
            "images, latentdp weights train --start fits weights to public ones like yours"
        )
