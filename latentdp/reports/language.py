"""The languages of public pages: gettext's catalogs, and numbers in the form of each language.

English is the language of the program, and of the messages that the catalogs translate. Catalogs
are the ``.po`` files in ``locale/``, which are compiled in memory when they are first needed. What
a catalog lacks stays English.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from latentdp import reports
from latentdp.errors import InputError
from latentdp.privacy.rounding import FEW, at_most, printed

__all__ = ["DOMAIN", "ENGLISH", "LANGUAGES", "Language", "message"]

DOMAIN = "latentdp"
LANGUAGES = {"en": "English", "de": "Deutsch", "fr": "Français", "es": "Español"}


def message(text: str) -> str:
    """Marks a text for the catalogs; it is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Language:
    """One language, and how many digits of a claim are shown in it.

    Attributes:
        code: One of `LANGUAGES`.
        digits: Of epsilon and delta, which are rounded up.

    Raises:
        InputError: There is no such language.

    Example:
        >>> Language("de").say("yes"), Language("de").number(30805)
        ('ja', '30.805')
        >>> Language("fr").number(7.1234)
        '7,13'
    """

    code: str
    digits: int = FEW

    def __post_init__(self) -> None:
        if self.code not in LANGUAGES:
            raise InputError(
                f"expected the language to be one of {', '.join(LANGUAGES)}, got {self.code!r}"
            )

    @property
    def catalog(self) -> NullTranslations:
        """For jinja2; without translations for English."""
        return _catalog(self.code)

    def say(self, text: str, /, **values: object) -> str:
        """A message, with ``%(name)s`` replaced by values."""
        said = self.catalog.gettext(text)
        return said % values if values else said

    def say_many(self, one: str, many: str, count: int, /, **values: object) -> str:
        """A message in the form that goes with a number, which it may name ``%(count)s``."""
        said = self.catalog.ngettext(one, many, count)
        return said % (values | {"count": self.number(count)})

    def number(self, value: float | None) -> str:
        """A count, or a claim rounded up; None where nothing is stated."""
        if value is None:
            return self.say("none stated")
        if isinstance(value, int):
            return _grouped(value, self.code)
        return self.spelled(printed(value, self.digits))

    def nats(self, epsilon: float | None) -> str:
        """An epsilon; None is infinity."""
        return self.say("infinity") if epsilon is None else self.number(float(epsilon))

    def at_most(self, value: float, decimals: int) -> str:
        """A ceiling with so many decimals, rounded up."""
        return self.spelled(at_most(value, decimals))

    def share(self, value: float, decimals: int = 2) -> str:
        """A ceiling of a share in [0, 1], in percent: ``8.82 %``, ``100 %``."""
        text = at_most(100 * value, decimals)
        whole, _, rest = text.partition(".")
        return f"{self.spelled(text if rest.strip('0') else whole)}\N{NO-BREAK SPACE}%"

    def words(self, value: Any) -> str:
        """A value of a document, whatever its type; a float in full, since it is no claim."""
        if isinstance(value, bool):
            return self.say("yes") if value else self.say("no")
        if isinstance(value, dict):
            named = (f"{str(k).replace('_', ' ')} {self.words(v)}" for k, v in value.items())
            return "; ".join(named)
        if isinstance(value, (list, tuple)):
            return ", ".join(map(self.words, value))
        if isinstance(value, float):
            return self.spelled(repr(value))
        if isinstance(value, int):
            return self.number(value)
        return self.say("none") if value is None else str(value)

    def spelled(self, text: str) -> str:
        """Digits as this language writes them, or infinity."""
        if text in ("infinity", "inf", "nan"):
            return self.say("infinity")
        return text.replace(".", _point(self.code))


# Babel is loaded for other languages alone: most commands speak English, and start at once.
def _grouped(value: int, code: str) -> str:
    if code == "en":
        return f"{value:,}"
    from babel.numbers import format_decimal

    return format_decimal(value, locale=code)


@cache
def _point(code: str) -> str:
    if code == "en":
        return "."
    from babel.numbers import get_decimal_symbol

    return get_decimal_symbol(code)


@cache
def _catalog(code: str) -> NullTranslations:
    if code == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for place in reports.__path__:
        path = Path(place) / "locale" / code / "LC_MESSAGES" / f"{DOMAIN}.po"
        if path.is_file():
            break
    else:
        raise InputError(f"the installation lacks the catalog of the language {code}")
    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=code))
    compiled.seek(0)
    return GNUTranslations(compiled)


ENGLISH = Language("en")
