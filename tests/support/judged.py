"""Evaluations that support the claim, as a verdict judges them, and their parts."""

from latentdp.evaluation.threat_model import Effort
from latentdp.evaluation.verdict import UNJUDGED
from latentdp.metrics.metric import named
from latentdp.models.checkpoints import shipped
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import MethodDescription, People, UsedVerifier
from latentdp.reports.recognition import Thresholds
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Impostors, Measure, Outcome

METHOD = MethodDescription(name="m", title="a method", protects_all=True)


def outcome(attack: str, metric: str, value: float, low: float, high: float, **more) -> Outcome:
    given = {
        "attack": attack,
        "setting": "private against real",
        "metric": named(metric),
        "value": value,
        "low": low,
        "high": high,
        "n": 1000,
        "patients": 400,
        "chance": 0.001,
        "ceiling": 0.9,
        "headline": True,
        "detail": Detail({"gallery": 1000}),
    }
    return Outcome(**given | more)


def measure(setting: str, value: float, half: float = 0.02) -> Measure:
    return Measure(
        utility="classification", setting=setting, subject="mean", metric=named("auc"),
        value=value, low=value - half, high=value + half, n=100, patients=50, headline=True,
    )  # fmt: skip


def supporting(
    auc=(0.52, 0.48, 0.56), first=(0.001, 0.0, 0.006), utility=(), extra=(), **more
) -> Evaluation:
    """An evaluation that supports the claim, and what is different or comes on top."""
    given = {
        "kind": "evaluation",
        "format": 1,
        "version": "0.1.0",
        "effort": Effort().stated,
        "verifier": UsedVerifier(
            name="v", sha256=next(iter(shipped("embedding").values())).sha256
        ),
        "thresholds": Thresholds(),
        "quick": False,
        "method": METHOD,
        "controls": (),
        "cohort": People(images=1000, patients=700),
        "outcomes": (
            outcome("frozen", "auc", 0.5, 0.45, 0.54, chance=0.5),
            outcome("adaptive", "auc (max)", *auc, chance=0.5),
            outcome("everything", "auc", 0.5, 0.46, 0.535, chance=0.5, impostors=Impostors.ANYONE),
            outcome("linkage", "rank-1", *first),
            *extra,
        ),
        "utility": tuple(utility),
        "verdict": UNJUDGED,
    }
    return Evaluation(**given | more)
