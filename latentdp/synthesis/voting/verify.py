"""Recomputes what the card of answers claims from the noise that stands on it.

No vault is needed. The recipe says what was asked for, the number of elections and the parameter
of their noise how it was answered, and every epsilon follows from these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from latentdp.core import plugins
from latentdp.core.documents import to_json
from latentdp.core.filesystem import digest
from latentdp.core.tables import read_table
from latentdp.errors import InputError
from latentdp.privacy.vote_accountant import KIND, Elections
from latentdp.release.verification.check import CALIBRATION, Check, equal, following
from latentdp.release.verify import Verification
from latentdp.reports.answers_card import ANSWERS, STUDENT, AnswersCard, VotesGuarantee
from latentdp.synthesis.learnt_checks import same
from latentdp.synthesis.voting.describe import (
    guarantee_of_votes,
    joined_card,
    noise_of,
    planned,
    warnings_of_votes,
)
from latentdp.vault.signature import is_signed

__all__ = ["answers_checks", "verify_answers"]

NOT_CHECKED = (
    "whether votes were counted and answered as the card says: noise leaves no proof of how it "
    "was drawn",
    "what only the vault knows: who stands behind the voters, and what else was released of them",
    "whether the questions are public images",
)
NOBODYS = ["", None, "", "", ""]  # on a card of several sites


def verify_answers(place: Path) -> Verification:
    """Recomputes all claims of a card; of a folder, also that it holds what the card names.

    Args:
        place: The folder of answers, or its ``answers.json``.

    Raises:
        InputError: There is no card of answers, or its noise is none.
    """
    card = AnswersCard.find(place)
    if card is None:
        raise InputError("expected the card of answers; there is none")
    checks = [same("status", card.status, "complete"), *answers_checks(card)]
    if place.is_dir():
        checks += _folder(card, place)
    return Verification(checks=tuple(checks), warnings=card.warnings, not_checked=NOT_CHECKED)


@following("the card of the answers")
def answers_checks(card: AnswersCard) -> list[Check]:
    """What a card claims, beside what follows from the noise on it, or from its sites.

    Raises:
        InputError: Nothing follows from what it states.
    """
    if card.sites:
        return _of_sites(card)
    stated, recipe, noise = card.guarantee, card.recipe, card.noise
    if noise is None:
        raise InputError("the card of the answers states no noise")
    aggregator = plugins.load(KIND, noise.aggregator).aggregator.of(noise.parameter)
    follows = guarantee_of_votes(
        Elections(aggregator, noise.elections), recipe.delta, recipe.voters.number, secure=True
    )
    asked = noise_of(planned(recipe))
    return [
        same(
            "aggregator", [noise.aggregator, noise.elections], [asked.aggregator, asked.elections]
        ),
        equal("noise of an election", float(noise.parameter), float(asked.parameter), CALIBRATION),
        *_bounds(stated, follows),
        Check(
            claim="epsilon that was asked for",
            claimed=stated.charged,
            found=recipe.epsilon,
            ok=stated.charged <= recipe.epsilon,
        ),
        same("noise from a secure source", stated.private, True),
        same("warnings", list(card.warnings), list(warnings_of_votes(follows))),
        same("signature", is_signed(card.key, card.signature, card.signed), True),
    ]


def _of_sites(card: AnswersCard) -> list[Check]:
    if any(site.sites for site in card.sites):
        raise InputError("expected the cards of single sites; some were combined before")
    checks = []
    for site in card.sites:
        checks += [
            replace(check, claim=f"site {site.name}: {check.claim}")
            for check in answers_checks(site)
        ]
    follows = joined_card(card.sites)
    keys = [site.key for site in card.sites]
    questions = [[site.recipe.asked, site.recipe.voters.findings] for site in card.sites]
    of_none = [card.name, card.noise, card.vault, card.key, card.signature]
    return [
        *checks,
        same("each site once", len(keys), len(set(keys))),
        same(
            "questions are those of every site",
            questions,
            [[card.recipe.asked, card.recipe.voters.findings]] * len(keys),
        ),
        same("run", card.run, follows.run),
        equal("recipe", to_json(card.recipe), to_json(follows.recipe)),
        equal("weights", to_json(card.weights), to_json(follows.weights)),
        same("public", card.public, follows.public),
        same("what touched private data", card.touched, follows.touched),
        same("name, noise and signature beside those of the sites", of_none, NOBODYS),
        *_bounds(card.guarantee, follows.guarantee),
        same("noise from a secure source", card.guarantee.private, follows.guarantee.private),
        same("warnings", list(card.warnings), list(follows.warnings)),
    ]


def _bounds(stated: VotesGuarantee, follows: VotesGuarantee) -> list[Check]:
    def of(name: str, read: Callable[[VotesGuarantee], object]) -> Check:
        return equal(name, read(stated), read(follows), CALIBRATION)

    return [
        of("epsilon of a patient, replace-one", lambda g: g.replace_one.epsilon),
        of("epsilon of a patient, add-remove", lambda g: g.add_remove.epsilon),
        of("epsilon of the site", lambda g: g.site.epsilon),
        of("charged to each patient", lambda g: g.charged),
        of("deltas", lambda g: [g.replace_one.delta, g.add_remove.delta, g.site.delta]),
        of("units and relations", lambda g: [
            g.replace_one.unit, g.replace_one.relation, g.add_remove.unit, g.add_remove.relation,
            g.site.unit, g.site.voters,
        ]),
        of("numerics", lambda g: g.numerics),
        of("statement", lambda g: list(g.statement)),
        of("not covered", lambda g: list(g.not_covered)),
    ]  # fmt: skip


def _folder(card: AnswersCard, out: Path) -> list[Check]:
    checks = []
    for name, claimed in ((ANSWERS, card.answers), (STUDENT, card.student)):
        found = digest(out / name) if (out / name).is_file() else None
        checks.append(same(f"digest of {name}", claimed, found))
    if checks[0].ok:  # a table that somebody altered may be none
        labels = [row["label"] for _, row in read_table(out / ANSWERS, ("file", "label"))]
        names = {name for label in labels for name in label.split(";") if name}
        checks += [
            same("number of answers", card.recipe.questions, len(labels)),
            same("labels beside the findings", sorted(names - {*card.recipe.voters.findings}), []),
        ]
    return checks
