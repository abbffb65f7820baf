"""What the steward asks for: who was learnt from, who was not, how hard to try, where to write."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from latentdp.core.cache import closed
from latentdp.core.filesystem import digest, write_json
from latentdp.core.progress import ProgressCallback, part
from latentdp.core.version import __version__
from latentdp.errors import InputError, WeightsError
from latentdp.privacy.gaussian_accountant import epsilon_of
from latentdp.privacy.guarantee import Relation
from latentdp.reports.synthesis_card import CentralGuarantee
from latentdp.reports.synthetic_evaluation import ClaimedPrivacy, SyntheticEvaluation
from latentdp.reports.synthetic_evaluation_page import write_synthetic_evaluation_page
from latentdp.synthesis.evaluation.people import BothGroups, Places
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.vault.default_vault import default_vault
from latentdp.vault.vault import Vault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow
    from latentdp.synthesis.evaluation.measure import Session, SetMeasures
    from latentdp.synthesis.evaluation.synthetic_set import SyntheticSet

__all__ = ["EvaluationRequest", "SyntheticEvaluationReport"]

READ = 0.2  # progress: everybody was read
NAME = "synthetic-evaluation"


class SyntheticEvaluationReport(NamedTuple):
    """What an evaluation found, and where it is to be read.

    Attributes:
        evaluation: All numbers.
        page: The same to look at; the JSON lies beside it. Private.
    """

    evaluation: SyntheticEvaluation
    page: Path


@dataclass(frozen=True, kw_only=True)
class EvaluationRequest:
    """An evaluation of what was learnt of a cohort.

    Attributes:
        places: Where people's images are.
        out: What was made of the cohort; public.
        vault: That was charged.
        folder: Private, for the report.
        images: That are looked at of each side, at most about.
        quick: A first look.
        seed: Of everything random.
        verifier: Weights; empty for the shipped ones that fit.
        began: When it was asked for, on a clock that only goes forwards.

    Raises:
        InputError: Folders that cannot be, or too few images.
    """

    places: Places
    out: Path
    vault: Path
    folder: Path
    images: int
    quick: bool
    seed: int
    verifier: str
    began: float = field(default_factory=time.monotonic)

    @classmethod
    def of(
        cls,
        cohort: str | Path,
        out: str | Path,
        *,
        labels: str | Path | None,
        test: str | Path | None,
        test_labels: str | Path | None,
        vault: str | Path | None,
        report: str | Path | None,
        images: int,
        quick: bool,
        seed: int,
        verifier: str,
    ) -> EvaluationRequest:
        """As `latentdp.evaluate_synthesis` is given it."""
        place = default_vault(Path(out)) if vault is None else Path(vault)
        if test_labels is not None and test is None:
            raise InputError("--test-labels belongs to --test")
        return cls(
            places=Places(
                cohort=Path(cohort),
                labels=None if labels is None else Path(labels),
                test=None if test is None else Path(test),
                test_labels=None if test_labels is None else Path(test_labels),
            ),
            out=Path(out),
            vault=place,
            folder=place / "evaluation" if report is None else Path(report),
            images=images,
            quick=quick,
            seed=seed,
            verifier=verifier,
        )

    def __post_init__(self) -> None:
        if self.images < 2:
            raise InputError(f"expected --images of at least 2, got {self.images}")
        for private in (*self.places.folders, self.out):
            if private.resolve() in (self.folder.resolve(), *self.folder.resolve().parents):
                raise InputError("the report is private: it must not lie in COHORT, --test or OUT")
        if not Vault.exists(self.vault):
            raise InputError("expected the vault of this synthesis; name it with --vault")

    def session(self, released: SyntheticSet, flow: Flow, tell: ProgressCallback) -> Session:
        """Reads both groups of people, and begins.

        Raises:
            InputError: Folders do not belong together, or others are of the cohort.
            WeightsError: The flow is another one.
        """
        from latentdp.synthesis.evaluation.measure import Session

        weights = released.generator.synthesis.weights
        if flow.sha256 != weights.sha256:
            raise WeightsError(
                f"OUT was learnt with other weights ({weights.name}); name those with --weights"
            )
        people = BothGroups.read(
            self.places,
            released,
            Vault(self.vault, read_only=True),
            flow.shape,
            images=self.images,
            tell=part(tell, 0.0, READ),
        )
        return Session(
            released,
            people,
            flow,
            self.folder / "parts",
            quick=self.quick,
            seed=self.seed,
            verifier=self.verifier,
        )

    def written(
        self, session: Session, measured: SetMeasures, card: Path, site: str = ""
    ) -> SyntheticEvaluationReport:
        """The document and its page, for their owner alone.

        Args:
            session: That measured.
            measured: All that was found.
            card: File with what is claimed.
            site: Name of the site whose file it is; empty for a data set.
        """
        released, people = session.released, session.people
        synthesis = released.generator.synthesis
        evaluation = SyntheticEvaluation(
            format=1,
            version=__version__,
            seed=self.seed,
            quick=self.quick,
            run=synthesis.run,
            site=site,
            card_sha256=digest(card),
            weights_sha256=synthesis.weights.sha256,
            method=synthesis.recipe.method,
            findings=synthesis.findings,
            images=len(released.images),
            claimed=_claimed(synthesis.guarantee, released.plan),
            cohort=people.cohort.people("who was learnt from"),
            test=None if people.test is None else people.test.people("others"),
            verifier=measured.verifier,
            utility=measured.utility,
            fidelity=measured.fidelity,
            nearest=measured.nearest,
            copying=measured.copying,
            membership=measured.membership,
            sharing=measured.sharing,
            canaries=measured.canaries,
            unmeasured=measured.unmeasured,
            seconds=round(time.monotonic() - self.began, 1),
        )
        closed(self.folder)
        write_json(self.folder / f"{NAME}.json", evaluation.to_json())
        write_synthetic_evaluation_page(evaluation, self.folder / f"{NAME}.html")
        return SyntheticEvaluationReport(evaluation, self.folder / f"{NAME}.html")


def _claimed(stated: CentralGuarantee, plan: SynthesisPlan) -> ClaimedPrivacy:
    replace_one, add_remove = (
        plan.accountant.mu(relation) for relation in (Relation.REPLACE_ONE, Relation.ADD_REMOVE)
    )
    delta = plan.delta - plan.names_delta
    return ClaimedPrivacy(
        delta=plan.delta,
        names_delta=plan.names_delta,
        replace_one_epsilon=epsilon_of(replace_one, delta),
        replace_one_mu=replace_one,
        add_remove_epsilon=epsilon_of(add_remove, delta),
        add_remove_mu=add_remove,
        printed_replace_one_epsilon=stated.replace_one.epsilon,
        printed_add_remove_epsilon=stated.add_remove.epsilon,
    )
