"""What a site answers in a round: the noisy sum of its patients' gradients, signed by its vault.

It is public, and protects the site's patients from everybody, whoever adds it up included.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from latentdp.core.documents import to_json
from latentdp.core.site_name import check_name
from latentdp.errors import InputError
from latentdp.federation.rounds.question import RoundQuestion, read_document
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.private_training.accounting import rounds_of
from latentdp.private_training.methods.head import FullBatchHead
from latentdp.private_training.several_sites import whole_site
from latentdp.private_training.verify import training_checks
from latentdp.reports.training_card import PrivateTraining, TrainedSite
from latentdp.vault.signature import is_signed

__all__ = ["RoundAnswer"]

UNLIKELY = 12.0  # deviations of noise, which no entry of an honest site ever goes beyond


class RoundAnswer(Struct, frozen=True, kw_only=True):
    """The part of a site in a round.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        format: Of the file.
        name: What the site calls itself.
        key: Public key, 64 hexadecimal digits.
        study: What all sites call this training.
        round: Its number, from 1.
        question: SHA-256 of what was asked.
        training: How the site answers all rounds, and what that costs its patients.
        patients: The noisy number of them, the same in each round.
        patients_at_most: Their number, rounded up to a power of ten.
        sums: Noisy sum of the patients' clipped gradients, in lengths of a clipped one.
        signature: Of all that, in hexadecimal.
    """

    tool: Literal["latentdp"]
    version: str
    format: Literal[1]
    name: str
    key: str
    study: str
    round: int
    question: str
    training: PrivateTraining
    patients: float
    patients_at_most: int
    sums: tuple[float, ...]
    signature: str = ""

    @classmethod
    def read(cls, path: Path) -> RoundAnswer:
        """Reads one from outside.

        Raises:
            InputError: It is none, or was altered.
        """
        answer = read_document(path, cls, "an answer of latentdp federate answer")
        check_name(answer.name)
        if not is_signed(answer.key, answer.signature, answer.signed):
            raise InputError(f"{path.name}: it was altered after it was signed")
        return answer

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        values = to_json(self) | {"signature": ""}
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()

    @property
    def sum(self) -> NDArray[np.float64]:
        """``(f * k,)``."""
        return np.array(self.sums, dtype=np.float64)

    @property
    def noise(self) -> NoisySum:
        """Of this round."""
        return rounds_of(self.training.releases[1:])[self.round - 1]

    def site(self, rounds: tuple[int, ...]) -> TrainedSite:
        """The site, as a card has it.

        Args:
            rounds: That it answered.
        """
        return TrainedSite(
            name=self.name,
            key=self.key,
            rounds=rounds,
            whole=whole_site(self.training, self.patients_at_most),
            training=self.training,
        )

    def check(self, question: RoundQuestion) -> None:
        """Refuses what is no answer to a question, or claims what does not follow from its noise.

        Raises:
            InputError: Why.
        """
        training = self.training
        asked = (self.study, self.round, self.question)
        if asked != (question.study, question.round, question.digest):
            raise InputError("it answers another question")
        if training.recipe.method != FullBatchHead.name:  # of others rounds are something else
            raise InputError("the site answers by another method than rounds have")
        if training.sites or training.recipe.rounds != question.rounds:
            raise InputError(f"the site did not agree to {question.rounds} rounds")
        if training.findings != question.findings or training.weights.sha256 != question.flow:
            raise InputError("the site learns other findings, or from other weights")
        failed = [check.claim for check in training_checks(training) if not check.ok]
        if failed:
            raise InputError(f"its card does not hold: {', '.join(failed)}")
        if len(self.sums) != question.matrix.size:
            raise InputError(f"expected {question.matrix.size} sums, got {len(self.sums)}")
        most = self.patients_at_most
        if not 1 <= most <= 10**9:
            raise InputError("expected a number of patients")
        count = rounds_of(training.releases[:1])[0]
        if not 1 <= self.patients <= most + UNLIKELY * count.deviation:
            raise InputError("its number of patients is none")
        # Each adds at most 1. Steps are divided by the patients that a site says it has: it
        # cannot say few and pull as many.
        largest = min(most, self.patients + UNLIKELY * count.deviation)
        if not (np.abs(self.sum) <= largest + UNLIKELY * self.noise.deviation).all():
            raise InputError("its sums are larger than those of all of its patients can be")
