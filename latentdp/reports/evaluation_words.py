"""What an evaluation wrote on a card, in the language of a page.

A card's sentences are English and hold numbers. Each is found among the messages below, part by
part, and what stands in it is put into the translation: words that are messages likewise, numbers
as the language writes them. A part that is not found is shown as it stands, marked as English.
"""

from __future__ import annotations

import re
from functools import cache

from markupsafe import Markup

from latentdp.reports.card_words import as_it_stands
from latentdp.reports.language import ENGLISH, Language, message

__all__ = ["MESSAGES", "evaluated"]

# As `latentdp.evaluation.verdict` says it, less the full stop.
MESSAGES = (
    message(
        "REFUTED: %(attack)s (%(setting)s) reached %(reached)s, above the ceiling of %(ceiling)s "
        "that its epsilon implies. The claim is false"
    ),
    message(
        "REFUTED before: %(attack)s (%(setting)s) reached %(reached)s, above the ceiling of "
        "%(ceiling)s that its epsilon implies. The claim is false"
    ),
    message("DECLARED: %(setting)s: %(share)s of them lead to their originals"),
    message("LEAK: %(setting)s of the files: %(share)s of them lead to their originals"),
    message("files linked by what the card declares of each: its kind, its marks, its label"),
    message("files linked by %(fact)s"),
    message("Whether patients can be recognised was not measured: see what could not run"),
    message("Telling patients apart, %(whom)s: not measured"),
    message(
        "Telling patients apart, %(whom)s: measured %(reached)s, by the strongest attacker "
        "(%(attack)s)"
    ),
    message("against anyone, with everything that is released"),
    message("against anyone"),
    message("against impostors of the same source, view and sex"),
    message(
        "Own original: among %(gallery)s originals, %(share)s of the private images lead to "
        "theirs first, by %(attack)s"
    ),
    message("guessing gives %(number)s"),
    message("no epsilon bounds it"),
    message("the patient's epsilon, %(number)s, alone would allow up to %(most)s"),
    message("too few patients for a statement (%(few)s)"),
    message("about %(number)s are needed"),
    message("more are needed"),
    message("Inference: %(reached)s"),
    message("%(trait)s from private images %(reached)s"),
    message("sex"),
    message("age"),
    message("view"),
    message("What the images are still good for was not measured: %(why)s"),
    message("no findings were given (--labels or --about)"),
    message("no classifier was taught"),
    message("practice and target have other findings"),
    message(
        "too few images of 2 findings to learn from and to test on: %(number)s with each and "
        "%(without)s without are needed on either side, of one source"
    ),
    message(
        "A classifier that learns from the private images, with %(labels)s, reaches %(reached)s "
        "on originals"
    ),
    message("true findings"),
    message("released labels"),
    message("one that learns from originals %(reached)s"),
    message("Control, %(control)s: %(reached)s. The images carry more than that"),
    message(
        "Control, %(control)s: %(reached)s. So what is useful here is the label, not the image"
    ),
    message("the mean picture of the true label"),
    message("fresh samples with the released label"),
    message("%(number)s images could not be read and were left out"),
    # Claims.
    message("recognizable visual features are removed (113102)"),
    message(
        "upper end of the interval: AUC at most %(number)s of the strongest attacker who tells "
        "patients apart, rank-1 of the own original at most %(most)s"
    ),
    message("AUC %(apart)s, rank-1 %(first)s"),
    message("not measured"),
    message("a quick look supports no claim"),
    message("fewer than %(number)s restarts of %(steps)s steps"),
    message("fewer than %(number)s patients with several images for the adaptive verifier"),
    message("no threshold is stated"),
    message("the verifier is not a shipped one"),
    message("nobody tried to tell patients from anyone with everything that is released"),
    # Numbers.
    message("%(metric)s %(number)s (%(low)s to %(high)s)"),
    message("%(metric)s %(number)s (too few patients for an interval)"),
    message("%(number)s (%(low)s to %(high)s)"),
    message("%(number)s (too few patients for an interval)"),
)
_NUMBER = r"\d[\d,]{0,20}(?:\.\d{1,20})?(?: %)?"
_LONGEST = 600  # characters of a part that is looked for: no evaluation writes longer ones
_COUNTED = ("number", "low", "high", "ceiling", "most", "gallery", "without", "steps")
_FORMS = {  # of what stands in a message; all else is any text
    **dict.fromkeys(_COUNTED, _NUMBER),
    "metric": "[^(,]+",
    "share": rf"{_NUMBER} \({_NUMBER} to {_NUMBER}\)",
}
_DEEPEST = 4  # messages within one another
_APART = re.compile(r"; (?![^(]*\))")  # between parts of a sentence, and not in brackets


def evaluated(line: str, language: Language) -> str:
    """A sentence of an evaluation, or a part of one, in a language.

    Example:
        >>> print(evaluated("guessing gives 0.5; more are needed.", Language("de")))
        Raten ergibt 0,5; mehr sind nötig.

    Args:
        line: As the card has it.
        language: Of the page.
    """
    if language == ENGLISH or not line:
        return line
    body = line.removesuffix(".")
    parts = [_said(part, language) or as_it_stands(part, language) for part in _APART.split(body)]
    return Markup("; ").join(parts) + line[len(body) :]


def _said(text: str, language: Language, depth: int = 0) -> str | None:
    """A part by its message; None where there is none."""
    if len(text) > _LONGEST or depth > _DEEPEST:
        return None
    for known, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = {
                name: _value(value, language, depth + 1)
                for name, value in found.groupdict().items()
            }
            return language.say(known, **values)
    return None


def _value(text: str, language: Language, depth: int) -> str:
    """What stands in a message: a number, a message, several of them, or a name."""
    if re.fullmatch(_NUMBER, text):
        number, _, percent = text.replace(",", "").partition(" ")
        said = language.spelled(number) if "." in number else language.number(int(number))
        return f"{said}\N{NO-BREAK SPACE}%" if percent else said
    whole = _said(text, language, depth)
    return whole or "; ".join(_said(part, language, depth) or part for part in text.split("; "))


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each message with what it matches."""
    return tuple((known, re.compile(_pattern(known))) for known in MESSAGES)


def _pattern(known: str) -> str:
    parts = re.split(r"%\((\w+)\)s", known)
    named = [
        rf"(?P<{part}>{_FORMS.get(part, '.+?')})" if i % 2 else re.escape(part)
        for i, part in enumerate(parts)
    ]
    return "".join(named)
