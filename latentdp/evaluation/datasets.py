"""The public data sets on which methods are compared, and names for what is kept about them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latentdp.core.documents import to_json
from latentdp.core.version import __version__
from latentdp.data.cohort import Cohort
from latentdp.evaluation.methods._weights import LazyFlow
from latentdp.evaluation.methods.base import Method
from latentdp.evaluation.run_attacks import describe_method
from latentdp.evaluation.threat_model import PairedImages
from latentdp.models.training.training_data import read_cohort

__all__ = ["GROUNDS", "BenchmarkDataset", "fingerprint", "ground"]

GROUNDS = {"identity": "cxr-adult", "findings": "cxr-paediatric"}


@dataclass(frozen=True, kw_only=True)
class BenchmarkDataset:
    """A data set on which methods are compared.

    Attributes:
        name: ``identity`` or ``findings``.
        weights: Of the flow that fits it, for all methods that are compared on it.
        train: What methods learn from, attackers practise on and classifiers learn from.
        val: What methods choose on.
        test: What is released and attacked.
    """

    name: str
    weights: LazyFlow
    train: Cohort
    val: Cohort
    test: Cohort

    @property
    def raw(self) -> PairedImages:
        """The test split as it is."""
        return PairedImages(
            cohort=self.test, private=self.test.images[None], labels=self.test.labels[None]
        )


def ground(name: str, data: Path, weights: str, *, limit: int = 0) -> BenchmarkDataset:
    """Reads one ground as its weights were trained on it.

    Args:
        name: ``identity`` or ``findings``.
        data: Manifest, or its folder.
        weights: Name or path.
        limit: Patients of each split, spread evenly over it; 0 for all.
    """
    shared = LazyFlow(weights)

    def read(split: str) -> Cohort:
        cohort = read_cohort(data, split, shared.flow)
        if not limit:
            return cohort
        patients = np.unique(cohort.patients)
        some = patients[np.linspace(0, len(patients) - 1, min(limit, len(patients))).astype(int)]
        return cohort.take(np.isin(cohort.patients, some))

    return BenchmarkDataset(
        name=name, weights=shared, train=read("train"), val=read("val"), test=read("test")
    )


def fingerprint(ground: BenchmarkDataset, method: Method, **more: Any) -> str:
    """Names what was worked out from the same people by the same method.

    Weights count where a method uses them, in its settings: a rival that uses none is what it was
    when they change.

    Args:
        ground: Whose people they are.
        method: What privatized them.
        more: JSON values that it depends on besides.
    """
    said = {
        "ground": ground.name,
        "method": to_json(describe_method(method)),
        "settings": method.settings,
        "version": __version__,
        "people": [cohort.digest for cohort in (ground.train, ground.val, ground.test)],
        "more": more,
    }
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return f"{ground.name}-{method.name}-{digest[:12]}"
