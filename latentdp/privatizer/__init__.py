"""Flow + plan + noise: images in, private images and their guarantee out."""

from latentdp.privatizer.planning import make_plan
from latentdp.privatizer.privatizer import Privatizer
from latentdp.privatizer.release import Rating, Release

__all__ = ["Privatizer", "Rating", "Release", "make_plan"]
