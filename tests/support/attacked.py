"""Scenes of a privatizer, and what attackers say of them."""

from typing import Any

from latentdp import Privatizer, Recipe
from latentdp.models.flow.flow import Flow
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.results import Outcome


def by(found: list[Outcome], words: str, metric: str) -> Outcome:
    (one,) = [o for o in found if words in o.setting and o.metric.name == metric]
    return one


def privatizer(flow: Flow, preset: str = "balanced", seed: int = 0, **changes: Any) -> Privatizer:
    return Privatizer(flow, Recipe.from_preset(preset, **changes), SeededNoise(seed))
