"""What data protection law asks of a release, row by row, with the number that answers it.

Europe: singling out, linkability and inference, of the Article 29 Working Party (Opinion 05/2014
on anonymisation techniques, WP216, section 2.2.2). United States: expert determination under HIPAA
(45 CFR 164.514(b)(1)). No row says that a law is met: that is for people to judge. Where there is
no guarantee a row says so, whatever else is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.evaluation_parts import JudgedClaim
from latentdp.reports.evaluation_words import evaluated
from latentdp.reports.guarantee_words import GALLERY
from latentdp.reports.language import Language, message
from latentdp.reports.likelier import likelier

__all__ = ["MOST_GUESSED", "MOST_NAMED", "Criterion", "Standing", "criteria"]

# Above these a bound is called weak.
MOST_NAMED = 0.09  # chance of naming a person; EMA Policy 0070 and Health Canada ask for no more
MOST_GUESSED = 0.75  # chance of guessing right between two: epsilon ln 3, odds at most tripled
RECOGNITION = "113102"  # in the words of an evaluation's claim about recognition


class Standing(StrEnum):
    """How far a number goes towards a criterion."""

    NOT_COVERED = message("not covered")  # no guarantee, or one that was refuted
    WEAK = message("weak")  # there is a number, which is too large to rely on
    BOUNDED = message("bounded")
    EXPERT = message("for an expert")  # only a person may say

    @property
    def level(self) -> str:
        """In which it is shown."""
        levels = {Standing.NOT_COVERED: "danger", Standing.BOUNDED: "fine"}
        return levels.get(self, "caution")


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One row.

    Attributes:
        name: Of the criterion.
        clause: Where it stands.
        asks: What it asks, in a few words.
        bound: What is bounded for any attacker, as text; or that nothing is.
        why: What else weakens it, or how far it goes; may be empty.
        measured: What attackers reached, as an evaluation says it; or that none was tried.
        standing: How far that goes.
    """

    name: str
    clause: str
    asks: str
    bound: str
    why: str = ""
    measured: str
    standing: Standing


def criteria(
    patient: Guarantee,
    language: Language,
    *,
    joined: bool,
    claims: Iterable[JudgedClaim] = (),
    inferred: str = "",
    refuted: bool = False,
) -> list[Criterion]:
    """The rows for a release, in the words of a language.

    Args:
        patient: The guarantee of the patient of whom most is released.
        language: Of the words.
        joined: Whether a pseudonym shows which images are one patient's.
        claims: What an evaluation judged.
        inferred: What its attackers read of a patient from an image; empty if nothing.
        refuted: Whether an evaluation refuted the guarantee.
    """
    say = language.say
    named = patient.gallery_ceiling(GALLERY)
    guessed = patient.verification_ceiling()
    gallery, chance = language.number(GALLERY), language.share(1 / GALLERY, 4)
    nothing = say("Nothing is bounded: there is no guarantee.")
    if refuted:
        nothing = say("The bound was refuted by an evaluation.")
    untried = say("Not measured: nobody tried it on this release.")
    tried = "; ".join(c.measured for c in claims if RECOGNITION in c.claim)
    reached = evaluated(tried, language) or untried
    believed = patient.private and not refuted

    def standing(ceiling: float, most: float, *, known: bool = False) -> Standing:
        if not believed:
            return Standing.NOT_COVERED
        if known or ceiling > most or not patient.exact:
            return Standing.WEAK
        return Standing.BOUNDED

    naming = say(
        "Naming the patient among %(gallery)s equally likely ones succeeds in at most %(share)s; "
        "guessing in %(chance)s.",
        gallery=gallery,
        share=language.share(named),
        chance=chance,
    )
    linking = say(
        "Telling whether the images are this patient's or another one's is right in at most "
        "%(share)s; guessing in 50 %%.",
        share=language.share(guessed),
    )
    inferring = say(
        "The odds of anything about the patient change at most %(times)s-fold; a fact that was a "
        "coin's toss before is guessed right in at most %(share)s.",
        times=likelier(patient, language),
        share=language.share(guessed),
    )
    opinion = say("Opinion 05/2014 (WP216), section 2.2.2")
    return [
        Criterion(
            name=say("Singling out"),
            clause=opinion,
            asks=say("Can a record be found that is one person's?"),
            bound=naming if believed else nothing,
            measured=reached,
            standing=standing(named, MOST_NAMED),
        ),
        Criterion(
            name=say("Linkability"),
            clause=opinion,
            asks=say("Can two records be linked to one person, here or with other data?"),
            bound=linking if believed else nothing,
            why=say(
                "Within the release it is intended: a pseudonym shows which images are one "
                "patient's."
            )
            if joined
            else say("Within the release there is nothing to link: no image is one patient's."),
            measured=reached,
            standing=standing(guessed, MOST_GUESSED, known=joined),
        ),
        Criterion(
            name=say("Inference"),
            clause=opinion,
            asks=say("Can something be concluded about one person?"),
            bound=inferring if believed else nothing,
            measured=evaluated(inferred, language) or untried,
            standing=standing(guessed, MOST_GUESSED),
        ),
        Criterion(
            name=say("Expert determination"),
            clause="45 CFR 164.514(b)(1) (HIPAA)",
            asks=say(
                "Is the risk very small that an anticipated recipient identifies an individual?"
            ),
            bound=naming if believed else nothing,
            why=say(
                "A program cannot determine it: a person with the knowledge that the rule asks "
                "for judges these numbers, the recipient and the other data at hand, and "
                "documents that."
            ),
            measured=reached,
            standing=Standing.EXPERT if believed else Standing.NOT_COVERED,
        ),
    ]
