"""What ``latentdp ledger`` shows of a vault: as JSON, and as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self

from msgspec import UNSET, Struct, UnsetType, structs

from latentdp.privacy.rounding import IN_FULL, left_over, printed

if TYPE_CHECKING:
    from latentdp.vault.ledger import Ledger
    from latentdp.vault.spending import Limit, Spent

__all__ = ["LedgerReport", "PatientAccount"]

SHORT = 16  # digits of a pseudonym in a table
# A Patient ID without its issuer is another patient: "nothing spent" would be believed.
NEVER = "; nobody of that name was charged here: if the files state an issuer, give 'ID\\ISSUER'"


class PatientAccount(Struct, frozen=True, kw_only=True):
    """What was spent on one patient.

    Attributes:
        pseudonyms: That the patient bears in releases; several where an ID has spellings.
        charges: One for each image that was released, reserved ones that were never written
            included, and one for each cohort that taught a synthesis.
        spent: Epsilon of all of them, in nats; None for infinity.
        spent_on_noised_part: Where that is infinity, epsilon of what was noised alone.
        delta: Of all of them.
        left: Epsilon up to the cap; None where there is none.
        delta_left: Delta up to the cap on delta; None where there is none.
    """

    pseudonyms: tuple[str, ...]
    charges: int
    spent: float | None
    spent_on_noised_part: float | UnsetType = UNSET
    delta: float
    left: float | None
    delta_left: float | None

    @classmethod
    def of(cls, spent: Spent, pseudonyms: Iterable[str], cap: Limit) -> Self:
        """The account of a patient under a vault's cap."""
        return cls(
            pseudonyms=tuple(pseudonyms),
            charges=spent.releases,
            spent=_finite(spent),
            spent_on_noised_part=_noised_part(spent),
            delta=spent.delta,
            left=_left(spent.epsilon, cap.micro_epsilon, 6),
            delta_left=_left(spent.delta, cap.pico_delta, 12),
        )

    @property
    def words(self) -> str:
        """In a line."""
        amount = _amount(self.spent, self.spent_on_noised_part, self.delta)
        left = "" if self.left is None else f", {left_over(self.left)} left"
        if self.delta_left is not None:
            left += f", delta {left_over(self.delta_left)} left"
        charges = f"{self.charges} charge{'' if self.charges == 1 else 's'}"
        return f"{amount} for {charges}{left}{'' if self.charges else NEVER}"


class LedgerReport(Struct, frozen=True, kw_only=True):
    """What a vault has spent, after its chain was followed from the first row to the last.

    Attributes:
        patients: Number of patients who were charged.
        charges: One for each image that was released, reserved ones that were never written
            included, and one of every patient for each cohort that taught a synthesis.
        most_spent: Largest epsilon of a patient, in nats; None for infinity.
        most_spent_on_noised_part: Where that is infinity, epsilon of what was noised alone.
        most_delta: Largest delta of a patient.
        cap: Most epsilon that a patient may have spent; None for no bound.
        cap_delta: Most delta; None for no bound.
        rows: Of the ledger.
        verified: True: a chain that does not hold is an error instead.
        vault: Its tag.
        by_patient: Accounts by pseudonym, who spent most first; unset where nobody asked.
    """

    patients: int
    charges: int
    most_spent: float | None
    most_spent_on_noised_part: float | UnsetType = UNSET
    most_delta: float
    cap: float | None
    cap_delta: float | None
    rows: int
    verified: bool
    vault: str
    by_patient: Mapping[str, PatientAccount] | UnsetType = UNSET

    @classmethod
    def of(cls, book: Ledger, vault: str) -> Self:
        """Of a vault's ledger, which it verifies.

        Raises:
            InputError: The ledger was tampered with.
        """
        from latentdp.vault.spending import Spent

        rows, cap, spent = book.verify(), book.cap(), book.spent().values()
        most = max(spent, key=_rank, default=Spent())
        return cls(
            patients=len(spent),
            charges=sum(s.releases for s in spent),
            most_spent=_finite(most),
            most_spent_on_noised_part=_noised_part(most),
            most_delta=max((s.delta for s in spent), default=0.0),
            cap=None if cap.micro_epsilon is None else cap.micro_epsilon / 1e6,
            cap_delta=None if cap.pico_delta is None else cap.pico_delta / 1e12,
            rows=rows,
            verified=True,
            vault=vault,
        )

    def with_patients(
        self, spent: Mapping[str, Spent], pseudonyms: Mapping[str, Iterable[str]], cap: Limit
    ) -> Self:
        """The same with the accounts of some patients; unset where there are none.

        Args:
            spent: By subject of the ledger.
            pseudonyms: In releases, by subject.
            cap: Of the vault.
        """
        order = sorted(sorted(spent), key=lambda who: _rank(spent[who]), reverse=True)
        accounts = {
            who: PatientAccount.of(spent[who], pseudonyms.get(who, ()), cap) for who in order
        }
        return structs.replace(self, by_patient=accounts or UNSET)

    @property
    def table_rows(self) -> list[tuple[str, str]]:
        """For a table of two columns."""
        most = _amount(self.most_spent, self.most_spent_on_noised_part, self.most_delta)
        rows = [
            ("patients", str(self.patients)),
            ("charges", str(self.charges)),
            ("most spent", f"{most} on one patient"),
            ("cap", _cap(self.cap, self.cap_delta)),
            ("chain", f"verified, {self.rows} rows"),
        ]
        accounts = {} if self.by_patient is UNSET else self.by_patient
        return rows + [
            (", ".join(account.pseudonyms) or who[:SHORT], account.words)
            for who, account in accounts.items()
        ]


def _rank(spent: Spent) -> tuple[float, int, int]:
    """Orders by what was spent; infinity is most."""
    return spent.epsilon, spent.micro_epsilon, spent.pico_delta


def _finite(spent: Spent) -> float | None:
    return None if spent.unprotected else spent.epsilon


def _noised_part(spent: Spent) -> float | UnsetType:
    return spent.noised_epsilon if spent.unprotected else UNSET


def _left(spent: float, cap: int | None, digits: int) -> float | None:
    return None if cap is None else max(0.0, round(cap / 10**digits - spent, digits))


def _cap(epsilon: float | None, delta: float | None) -> str:
    parts = [f"epsilon {printed(epsilon, IN_FULL)}"] if epsilon is not None else []
    parts += [f"delta {printed(delta, IN_FULL)}"] if delta is not None else []
    return " and ".join(parts) + " per patient" if parts else "none"


def _amount(epsilon: float | None, noised_part: float | UnsetType, delta: float) -> str:
    also = f", delta {printed(delta)}" if delta else ""
    if epsilon is not None:
        return f"epsilon {printed(epsilon)}{also}"
    noised = "" if noised_part is UNSET else f"noised part {printed(noised_part)}"
    return f"epsilon infinity (something was released exactly; {noised}{also})"
