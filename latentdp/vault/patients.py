"""Which pseudonyms the patients of a ledger bear in releases.

A ledger knows a patient by a keyed digest of its own. Outputs bear another one, which anybody sees
who has the release; the vault remembers which belongs to which, and never an ID of a source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from latentdp.errors import InputError
from latentdp.vault.index_file import IndexFile
from latentdp.vault.ledger import Ledger
from latentdp.vault.run_report import read_report
from latentdp.vault.vault import Vault

__all__ = ["Patients"]

_PSEUDONYM = re.compile(r"LDP-[0-9A-F]{16}")


class Patients:
    """The patients of one vault.

    Args:
        vault: Open.
        ledger: Of the vault, verified.
    """

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        self._vault, self._ledger = vault, ledger
        self._subjects = IndexFile(vault.path, read_only=True).patients()
        if not set(ledger.spent()) <= set(self._known_as(self._subjects.values())):
            self._subjects = self._told_by_reports() | self._subjects

    def pseudonyms(self) -> dict[str, list[str]]:
        """Those in releases, by subject in the ledger; several where an ID has spellings."""
        names: dict[str, list[str]] = {}
        for pseudonym, subject in sorted(self._subjects.items()):
            names.setdefault(self._ledger.subject(subject), []).append(pseudonym)
        return names

    def find(self, name: str, form: str) -> str:
        r"""The subject of a patient.

        Args:
            name: Pseudonym in a release, or Patient ID of the sources, with its issuer, if they
                state one, as ``ID\\ISSUER``.
            form: The loose form of such an ID (`latentdp.data.patient_id`).
        """
        released = name.strip().upper()
        if _PSEUDONYM.fullmatch(released) and released in self._subjects:
            return self._ledger.subject(self._subjects[released])
        subject = self._vault.subject(form)
        self._ledger.join(self._vault.subject(name), subject)  # as version 0.1 charged a spelling
        return self._ledger.subject(subject)

    def _known_as(self, subjects: Iterable[str]) -> list[str]:
        return [self._ledger.subject(subject) for subject in subjects]

    def _told_by_reports(self) -> dict[str, str]:
        """What runs of earlier versions told in their private reports alone."""
        told: dict[str, str] = {}
        for path in sorted(self._vault.reports.glob("*.jsonl")):
            try:
                rows = read_report(path)
            except (InputError, OSError):  # damaged, or of another kind of run
                continue
            named = {row.id or row.output or "": row for row in rows if row.patient}
            charged = self._ledger.outputs(named)  # whom a report of 0.1 does not tell
            for output, row in named.items():
                subject = charged[output].subject if output in charged else row.subject
                if row.patient and subject:
                    told[row.patient] = subject
        return told
