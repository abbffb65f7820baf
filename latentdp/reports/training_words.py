"""What the card of a private training says in words."""

from __future__ import annotations

from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.rounding import printed
from latentdp.reports.guarantee_words import in_words
from latentdp.reports.language import ENGLISH

__all__ = [
    "COUNT",
    "EXACT",
    "IDEALISED",
    "LOST",
    "NOT_COVERED",
    "USE",
    "metric",
    "site_as_unit",
    "statement",
]

USE = "a classifier for research; not a medical device, and not for diagnosis"
COUNT = "number of patients"

EXACT = "exact"
IDEALISED = "idealised"  # the proof is about real numbers, the program computes with floats

NOT_COVERED = (
    "that two identifiers are one patient, or that one image stands under two patients",
    "patients of this cohort whom the public weights have seen in training",
    "that a statement about all patients like these may be true of one of them",
    "what else was released of a patient, from this vault or another: all figures are of this "
    "training alone",
    "what a reader of this computer's memory, timing or disk could learn during the run",
    "the same command run with other options, which is charged again, and the wish to choose the "
    "better of two: a choice by private images is a release, too",
)
LOST = (
    "FAINT: the noise is of the size of what all patients together could say; the classifier "
    "knows little of the cohort"
)


def statement(replace_one: Guarantee, add_remove: Guarantee) -> tuple[str, ...]:
    """The guarantee in words.

    Args:
        replace_one: Of cohorts in which another patient stands in the place of one.
        add_remove: Of cohorts with a patient and without.
    """
    return (
        "The whole classifier: any two cohorts in which another patient with all of their images "
        "and findings stands in the place of one are indistinguishable up to "
        f"{in_words(replace_one, ENGLISH)}.",
        f"Two cohorts with a patient and without: up to {in_words(add_remove, ENGLISH)}.",
        "Reading images with it costs nothing.",
    )


def metric(kappa: float, rounds: int) -> str:
    """What directional noise guarantees beside its worst case.

    Args:
        kappa: Concentration in each round.
        rounds: How many.
    """
    each, whole = printed(kappa), printed(rounds * kappa)
    return (
        f"In the metric of directions: a round costs {each} times the distance between the unit "
        f"vectors of the two cohorts' sums, so {rounds} rounds at a distance of at most t cost "
        f"{whole} t; no such t is guaranteed, and what is charged is the worst case, t = 2."
    )


def site_as_unit(epsilon: float, delta: float, patients: int) -> str:
    """What a hospital as a whole risks, which is no protection.

    Args:
        epsilon: In nats.
        delta: In (0, 1).
        patients: How many it has at most.
    """
    return (
        f"If the site were the unit, with up to {patients:,} patients of a hospital replaced at "
        f"once: epsilon {printed(epsilon)}, delta {printed(delta)}; above 10 it is hardly "
        "protected: what is true of a hospital as a whole is what it shares."
    )
