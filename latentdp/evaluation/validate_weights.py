"""A check-up of a flow's weights on the public data that they were trained on, for their card.

The laws that every flow keeps, the measurements of a model card, and whether fresh samples look
like radiographs, copy none, and still teach a classifier the findings of their labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from latentdp.core.arrays import evenly
from latentdp.core.documents import to_json
from latentdp.core.progress import ProgressCallback
from latentdp.data.cohort import Cohort
from latentdp.data.dataset import Dataset
from latentdp.errors import InputError
from latentdp.evaluation.methods.controls import PriorSample
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.private_copies import copies
from latentdp.evaluation.threat_model import Effort, PairedImages, ThreatModel
from latentdp.evaluation.utility.classification import Classification
from latentdp.evaluation.utility.realism import Realism
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.invariants import check
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import LawCard, SampleMeasure
from latentdp.models.model_card.flow import assess
from latentdp.reports.results import Measure

__all__ = ["checkup"]

LOOKED_AT = 64  # images that laws are tried on


def checkup(
    flow: Flow, splits: Mapping[str, Dataset], *, effort: Effort, tell: ProgressCallback
) -> ModelCard:
    """Entries for the model card: a card of what was measured.

    Args:
        flow: As it will be used.
        splits: ``train``, ``val`` and perhaps ``test``, read as its card says.
        effort: Of the classifiers.
        tell: Progress.

    Raises:
        InputError: No images of ``train`` or ``val``.
        WeightsError: A law is broken.
    """
    lacking = {"train", "val"} - set(splits)
    if lacking:
        raise InputError(f"no images of split {min(lacking)!r}")
    train, val = (Cohort.of(splits[name]) for name in ("train", "val"))
    tell(0.0, "trying the laws")
    rows = evenly(len(val), LOOKED_AT)
    invariants = check(flow, val.images[rows], val.labels[rows])
    tell(0.1, "measuring")
    held_out = {name: data for name, data in splits.items() if name != "train"}
    card = assess(flow, splits["train"], held_out)
    tried = tuple(
        LawCard(name=law.name, measured=law.measured, allowed=law.allowed) for law in invariants
    )
    tell(0.4, "drawing samples")
    scene = _samples(flow, train, val, effort)
    measures: list[Measure] = []
    for i, measure in enumerate((Realism(), Classification())):
        if measure.unavailable_reason(scene) is None:
            measures += measure.measure(scene, _part(tell, 0.6 + 0.2 * i))
    samples = tuple(
        _in_short(measure) for measure in measures if measure.subject in ("all", "mean")
    )
    tell(1.0, "checked")
    return structs.replace(card, laws=tried, samples=samples)


def _in_short(measure: Measure) -> SampleMeasure:
    """What a model card tells of a measure: numbers to four decimals, no details."""

    def rounded(x: float | None) -> float | None:
        return None if x is None else round(x, 4)

    return SampleMeasure(
        utility=measure.utility,
        setting=measure.setting,
        subject=measure.subject,
        metric=to_json(measure.metric),
        n=measure.n,
        patients=measure.patients,
        value=rounded(measure.value),
        low=rounded(measure.low),
        high=rounded(measure.high),
    )


def _part(tell: ProgressCallback, start: float) -> ProgressCallback:
    """Progress of the fifth of the work that begins there."""
    return lambda share, words: tell(start + 0.2 * share, words)


def _samples(flow: Flow, train: Cohort, val: Cohort, effort: Effort) -> ThreatModel:
    """Fresh samples of the flow in the place of private images, under the true labels."""
    label = "public" if flow.classes or flow.attributes else "none"
    method = PriorSample(PresetMethod("strict", flow, label=label))
    sides = []
    for i, cohort in enumerate((val, train)):
        private, labels = copies(method, cohort, 1, i)
        sides.append(PairedImages(cohort=cohort, private=private, labels=labels))
    return ThreatModel(
        target=sides[0],
        practice=sides[1],
        privatizer=method.privatizer,
        effort=effort,
        members=True,
    )
