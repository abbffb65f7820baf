"""When two spellings of a Patient ID (0010,0020) are one, and when they may be.

Two forms, for two questions. Pseudonyms follow the `normal_form`: it takes away only what no
hospital means by an ID. The ledger follows the `loose_form`: to take two people for one there
errs on the safe side, since what was spent on both then counts for each.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["loose_form", "normal_form"]

_PADDING = ("Cc", "Cf", "Zl", "Zp", "Zs")  # control and format characters, all kinds of space


def normal_form(text: str) -> str:
    """An identifier without padding at its ends, composed (Unicode NFC)."""
    if text.isascii() and text.isprintable():  # as nearly always
        return text.strip(" ")
    composed = unicodedata.normalize("NFC", text)
    meant = [i for i, c in enumerate(composed) if unicodedata.category(c) not in _PADDING]
    return composed[meant[0] : meant[-1] + 1] if meant else ""


def loose_form(patient: str) -> str:
    r"""What the spellings of one Patient ID have in common.

    Of ID and issuer each, only letters and digits count, without case, accents and zeros before
    a number: ``MRN-0123``, ``mrn 123`` and ``00MRN123`` are one.

    Args:
        patient: Patient ID; with its issuer behind a backslash, which is never left out: one
            number of two hospitals is two people.
    """
    return "\\".join(map(_loose, patient.split("\\")))


def _loose(part: str) -> str:
    # Compatibility forms, as full-width digits, first: some fold only once they are taken apart.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", part).casefold())
    counting = "".join(filter(str.isalnum, folded))
    if not counting:  # an ID of signs only is nobody else's
        return normal_form(part)
    return re.sub("(?<![0-9])0+(?=[0-9])", "", counting).lstrip("0") or "0"
