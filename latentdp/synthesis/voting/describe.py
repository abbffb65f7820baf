"""How answers describe themselves: what they cost, what was public, what touched private data."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import structs

from latentdp.core.version import __version__
from latentdp.privacy.guarantee import Guarantee, Relation, Unit
from latentdp.privacy.vote_accountant import Elections
from latentdp.reports.answers_card import (
    AT_SEVERAL,
    NOT_COVERED,
    AnswersCard,
    AnswersRecipe,
    ElectionNoise,
    SiteBound,
    VotesGuarantee,
    joined_statement,
    statement,
)
from latentdp.reports.guarantee_words import SEEDED
from latentdp.reports.release_card_parts import CardWeights
from latentdp.reports.synthesis_card import PatientBound
from latentdp.reports.synthesis_words import WEAK
from latentdp.synthesis.voting.voters.base import Ballot, elections

__all__ = [
    "card_of",
    "guarantee_of_votes",
    "joined_card",
    "joined_votes",
    "noise_of",
    "planned",
    "warnings_of_votes",
]


def planned(recipe: AnswersRecipe) -> Elections:
    """The least noise for what is asked.

    Raises:
        InputError: A budget that is none, or too small for so many answers.
    """
    number = elections(recipe.questions, len(recipe.voters.findings), Ballot(recipe.ballot))
    return Elections.calibrate(recipe.aggregator, number, recipe.epsilon, recipe.delta)


def noise_of(plan: Elections) -> ElectionNoise:
    """All that touches votes, as a card has it."""
    aggregator = plan.aggregator
    return ElectionNoise(
        aggregator=aggregator.name, parameter=aggregator.parameter, elections=plan.number
    )


def guarantee_of_votes(
    plan: Elections, delta: float, voters: int, *, secure: bool
) -> VotesGuarantee:
    """What a plan guarantees, to patients and to the site.

    Args:
        plan: Of all elections.
        delta: In (0, 1).
        voters: How many vote.
        secure: Whether the noise is.
    """
    replace_one = plan.guarantee(delta, Relation.REPLACE_ONE)
    add_remove = plan.guarantee(delta, Relation.ADD_REMOVE)
    site = SiteBound(epsilon=plan.epsilon(delta, voters), delta=delta, voters=voters)
    return VotesGuarantee(
        replace_one=PatientBound.of(replace_one),
        add_remove=PatientBound.of(add_remove),
        site=site,
        charged=max(replace_one.epsilon, add_remove.epsilon),
        private=secure,
        numerics="exact",
        statement=statement(replace_one, add_remove, site),
        not_covered=NOT_COVERED,
    )


def joined_votes(parts: Sequence[VotesGuarantee]) -> VotesGuarantee:
    """Of sites that share no patient: the largest bounds hold for everybody."""
    site = SiteBound(
        epsilon=max(part.site.epsilon for part in parts),
        delta=max(part.site.delta for part in parts),
        voters=max(part.site.voters for part in parts),
    )
    replace_one, add_remove = (
        PatientBound.of(
            Guarantee(
                epsilon=max(bound.epsilon for bound in bounds),
                delta=max(bound.delta for bound in bounds),
                unit=Unit.PATIENT,
                relation=relation,
            )
        )
        for relation, bounds in (
            (Relation.REPLACE_ONE, [part.replace_one for part in parts]),
            (Relation.ADD_REMOVE, [part.add_remove for part in parts]),
        )
    )
    return VotesGuarantee(
        replace_one=replace_one,
        add_remove=add_remove,
        site=site,
        charged=max(part.charged for part in parts),
        private=all(part.private for part in parts),
        numerics="exact",
        statement=joined_statement(len(parts), replace_one, site),
        not_covered=(*NOT_COVERED, AT_SEVERAL),
    )


def warnings_of_votes(guarantee: VotesGuarantee) -> tuple[str, ...]:
    """What a reader must not overlook."""
    lines = {SEEDED: not guarantee.private, WEAK: guarantee.charged > 10}
    return tuple(line for line, holds in lines.items() if holds)


def card_of(
    run: str,
    recipe: AnswersRecipe,
    plan: Elections,
    weights: CardWeights,
    *,
    secure: bool,
    vault: str,
    name: str = "",
) -> AnswersCard:
    """The card of answers that are being written, without any digest."""
    guarantee = guarantee_of_votes(plan, recipe.delta, recipe.voters.number, secure=secure)
    return AnswersCard(
        tool="latentdp",
        version=__version__,
        model="votes",
        status="incomplete",
        run=run,
        name=name,
        recipe=recipe,
        noise=noise_of(plan),
        guarantee=guarantee,
        weights=weights,
        public=(
            "the images that are asked about, and their order",
            "the names of the findings, by declaration of whoever taught the voters (--findings)",
            "the weights, in whose samples' units voters and student read",
            "the number of voters and all options; nothing was tuned on the cohort",
            "the order of magnitude of the number of patients, where delta is left to the "
            "program: it is 1e-5 up to 10,000 patients",
        ),
        touched=(
            f"votes of {recipe.voters.number} voters ({recipe.voters.voters}) in {plan.number} "
            f"elections, each answered by {plan.aggregator.name} with fresh noise; every question "
            "is answered, however the votes fell",
        ),
        warnings=warnings_of_votes(guarantee),
        vault=vault,
    )


def joined_card(cards: Sequence[AnswersCard]) -> AnswersCard:
    """The card of answers that sites gave together, without any digest: all follows from theirs.

    Args:
        cards: Of at least one site, which were asked the same.
    """
    first = cards[0]
    guarantee = joined_votes([card.guarantee for card in cards])
    signatures = ";".join(sorted(card.signature for card in cards))
    return AnswersCard(
        tool="latentdp",
        version=__version__,
        model="votes",
        status="incomplete",
        run=hashlib.sha256(signatures.encode("utf-8", "surrogateescape")).hexdigest()[:32],
        recipe=structs.replace(
            first.recipe,
            epsilon=max(card.recipe.epsilon for card in cards),
            delta=max(card.recipe.delta for card in cards),
        ),
        noise=None,
        guarantee=guarantee,
        weights=first.weights,
        public=first.public,
        touched=("answers of each site, which had touched votes of its own, with noise",),
        warnings=warnings_of_votes(guarantee),
        sites=tuple(cards),
    )
