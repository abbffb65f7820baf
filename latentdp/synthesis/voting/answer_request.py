"""What voters are asked: validated once, before the vault is opened or any image is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from latentdp.core.site_name import check_name
from latentdp.data.dicom.profile import Profile
from latentdp.errors import InputError
from latentdp.privacy.gaussian_accountant import default_delta
from latentdp.privacy.units import allowance
from latentdp.privacy.vote_accountant import Elections
from latentdp.release.folders import check_apart, check_not_empty, check_source
from latentdp.synthesis.voting.kept_voters import voters_file
from latentdp.synthesis.voting.voters.base import Ballot
from latentdp.vault.spending import Limit
from latentdp.vault.vault import Vault

__all__ = ["AnswerRequest"]

MOST_QUESTIONS = 100_000


@dataclass(frozen=True, kw_only=True)
class AnswerRequest:
    """Questions to voters.

    Attributes:
        queries: Folder of public images.
        out: New or empty folder, or one in which an earlier run of the same stopped.
        vault: That holds the voters.
        name: Of the voters.
        epsilon: Of a patient, replace-one, in nats.
        delta: In (0, 1); None for min(1e-5, n^-1.1).
        aggregator: How votes are answered, a plug-in.
        ballot: ``one`` finding a question, or ``each`` by itself.
        questions: How many images are asked about.
        site: What the site calls itself in public; empty for nothing.
        accept_burned_in: A person looked at the pixels of all questions and found no text.
        all_chests: A person says that every question shows a chest.
        all_frontal: A person says that every question is a frontal view.
        budget: Largest epsilon per patient, earlier releases from this vault included.
        ledger: URL of the ledger's database, which the vault remembers.

    Raises:
        InputError: A value is out of its range, or a folder is missing or lies where it must not.
    """

    queries: Path
    out: Path
    vault: Path
    name: str = "teachers"
    epsilon: float = 2.0
    delta: float | None = None
    aggregator: str = "exponential"
    ballot: str = "one"
    questions: int = 100
    site: str = ""
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    budget: float | None = None
    ledger: str | None = None

    def __post_init__(self) -> None:
        Ballot(self.ballot)
        if not 1 <= self.questions <= MOST_QUESTIONS:
            raise InputError(f"expected 1 to {MOST_QUESTIONS:,} questions, got {self.questions:,}")
        delta = default_delta(1) if self.delta is None else self.delta
        Elections.calibrate(self.aggregator, 1, self.epsilon, delta)
        if self.budget is not None and not self.budget > 0:
            raise InputError(f"expected a finite positive budget of epsilon, got {self.budget}")
        _ = self.limit
        if self.site:
            check_name(self.site)
        voters_file(self.vault, self.name)
        check_source(self.queries)
        check_not_empty(self.queries)
        folder = self.queries if self.queries.is_dir() else self.queries.parent
        check_apart(folder, self.out, self.vault)
        if not Vault.exists(self.vault):
            raise InputError("there is no such vault; make voters with latentdp vote train")

    @property
    def limit(self) -> Limit:
        """Most that a patient may have spent after it."""
        return Limit(None if self.budget is None else allowance(self.budget))

    @property
    def profile(self) -> Profile:
        """How questions are read."""
        return Profile(
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
        )
