"""How we authenticate to a DICOMweb service; it never stands on a command line."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from latentdp.errors import InputError

__all__ = ["VARIABLE", "Credentials", "find_credentials"]

VARIABLE = "LATENTDP_CREDENTIALS"
_FORM = re.compile(r"(?i:(bearer)) (\S+)|(?i:(basic)) ([^:\s]+:\S.*)")


@dataclass(frozen=True)
class Credentials:
    """A token, or user and password.

    Attributes:
        scheme: ``bearer`` (RFC 6750) or ``basic`` (RFC 7617).
        secret: The token, or ``USER:PASSWORD``; it is not shown.
    """

    scheme: str
    secret: str = field(repr=False)


def find_credentials(file: Path | None) -> Credentials | None:
    """What a file holds, or the variable `VARIABLE`; None for neither.

    Args:
        file: One line, ``bearer TOKEN`` or ``basic USER:PASSWORD``, which its owner alone may
            read.

    Raises:
        InputError: It cannot be read, is open to others, or is of another form.
    """
    if file is None:
        text, name = os.environ.get(VARIABLE, ""), VARIABLE
    else:
        text, name = _read(file), "the credentials file"
    if not text.strip():
        if file is None:
            return None
        raise InputError("expected a line in the credentials file, got none")
    form = _FORM.fullmatch(text.strip())
    if form is None:
        raise InputError(f"expected 'bearer TOKEN' or 'basic USER:PASSWORD' in {name}")
    scheme, secret = (part for part in form.groups() if part is not None)
    return Credentials(scheme.lower(), secret)


def _read(file: Path) -> str:
    try:
        if os.name != "nt" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise InputError(
                "expected the credentials file to be open to its owner only; close it with "
                "chmod 600"
            )
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError("the credentials file cannot be read as text") from None
