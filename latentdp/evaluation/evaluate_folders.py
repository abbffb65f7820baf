"""Two folders in, an evaluation out: the job as a function, and as a command."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from latentdp.core.progress import ProgressCallback, forward, part, silent
from latentdp.errors import InputError
from latentdp.evaluation.evaluate import evaluate as attack
from latentdp.evaluation.load_release import of_another_method, of_ours
from latentdp.evaluation.threat_model import chosen_effort
from latentdp.evaluation.write_evaluation import write_evaluation
from latentdp.privacy.guarantee import Guarantee
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.recognition import LARGEST_AUC, LARGEST_FIRST, Thresholds
from latentdp.vault.default_vault import default_vault

__all__ = ["SIZE", "EvaluationReport", "evaluate"]

SIZE = 64  # pixels on a side to compare at, if nothing else is said
QUICK_PRACTICE = 1500  # of the attacker's images, in a first look
READ = 0.05  # progress: both folders are read


class EvaluationReport(NamedTuple):
    """What an evaluation found, and where it is to be read.

    Attributes:
        evaluation: Attacks, measures of usefulness, controls, and the verdict on them.
        page: The same to look at, ``evaluation.html``; ``evaluation.json`` and ``hardest.html``,
            which shows originals, lie beside it. Private.
    """

    evaluation: Evaluation
    page: Path


def evaluate(
    source: str | Path,
    out: str | Path,
    *,
    vault: str | Path | None = None,
    about: str | Path | None = None,
    labels: str | Path | None = None,
    label_map: str | Path | None = None,
    attacker: str | Path | None = None,
    images: int = 2000,
    pairs: str | Path | None = None,
    claimed_epsilon: float | None = None,
    claimed_delta: float = 0.0,
    size: int = SIZE,
    report: str | Path | None = None,
    quick: bool = False,
    restarts: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    verifier: str = "",
    auc_at_most: float = LARGEST_AUC,
    first_at_most: float = LARGEST_FIRST,
    progress: ProgressCallback = silent,
) -> EvaluationReport:
    """Attacks a release and measures what it is still good for, as ``latentdp evaluate``.

        >>> import latentdp
        >>> summary = latentdp.privatize_folder("samples/cxr", "release")
        >>> evaluation, page = latentdp.evaluate("samples/cxr", "release", quick=True)
        >>> evaluation.verdict.refuted
        False
        >>> page.relative_to(page.parents[1]).as_posix()
        'evaluation/evaluation.html'

    It may be called again after an interruption, and goes on where it was. The numbers are
    measured on the originals and stand outside the guarantee; a summary of them is added to the
    card and the page of a release of ours.

    Args:
        source: Folder of the originals.
        out: The release that was made of it.
        vault: Of the release; by default one for OUT in this user's state.
        about: CSV with what is known of each input: column ``file`` (below ``source``) and any of
            ``patient``, ``finding`` (several with ``;`` between them), ``label``, ``sex``,
            ``age``, ``view``, ``source``.
        labels: CSV of findings as `latentdp.privatize_folder` takes it, with several findings an
            image if it has them; ``about`` outranks it. The same list that the release was made
            with, or another.
        label_map: With ``labels``: CSV from its names of findings to those of the weights.
        attacker: Manifest of public images of other patients for the attacker to practise on;
            without it half of the release's patients are used for that.
        images: Images of the release that are looked at, at most about; whole patients, drawn at
            random.
        pairs: For a release of another method, instead of the three above ``images``: CSV with
            ``original`` (below ``source``), ``private`` (below ``out``), ``patient``, and where
            known ``finding``, ``sex``, ``age``, ``view``, ``source``, ``split`` (``practice`` or
            ``target``).
        claimed_epsilon: With ``pairs``: what is claimed for a whole image, in nats.
        claimed_delta: With ``claimed_epsilon``, in [0, 1).
        size: With ``pairs``: pixels on a side to compare at.
        report: Private folder to write to; by default ``VAULT/evaluation``, and with ``pairs``
            in the same place for OUT in this user's state.
        quick: A first look in minutes; it supports no claim.
        restarts: Of the adaptive verifier, at least 1; None for the usual number.
        steps: Of its optimiser per restart, at least 1; None for the usual number.
        seed: Of the attackers; the same seed gives the same report.
        verifier: Weights of the verifier to start from, by name or path; empty for the shipped
            ones that fit.
        auc_at_most: Claim removed features only up to this AUC, from 0.5 to 0.6.
        first_at_most: And only up to this share of originals named first, from 0 to 0.02.
        progress: Called with the share done, in [0, 1], and words.

    Raises:
        InputError: Options contradict each other, a value is out of its range, or folders do not
            belong together; nothing was written.
        WeightsError: Weights are refused.
    """
    source, out = Path(source), Path(out)
    if pairs is None and (claimed_epsilon is not None or size != SIZE):
        raise InputError("--claimed-epsilon and --size belong to --pairs")
    if claimed_epsilon is None and claimed_delta:
        raise InputError("--claimed-delta belongs to --claimed-epsilon")
    if pairs is not None and (about, attacker, vault, labels) != (None, None, None, None):
        raise InputError("--pairs stands instead of --vault, --about, --labels and --attacker")
    if label_map is not None and labels is None:
        raise InputError("--label-map belongs to --labels")
    if images < 2:
        raise InputError(f"expected --images of at least 2, got {images}")
    thresholds = Thresholds(auc=auc_at_most, first=first_at_most)
    effort = chosen_effort(quick=quick, restarts=restarts, steps=steps)
    claimed = None
    if claimed_epsilon is not None:
        claimed = Guarantee(epsilon=claimed_epsilon, delta=claimed_delta)
    private = Path() if vault is None else Path(vault)
    if vault is None and (pairs is None or report is None):
        private = default_vault(out)
    folder = private / "evaluation" if report is None else Path(report)
    for place in (source, out):
        if place.resolve() in (folder.resolve(), *folder.resolve().parents):
            raise InputError("the report shows originals: it must not lie in IN or OUT")
    tell = forward(progress)
    if pairs is None:
        release = of_ours(
            source,
            out,
            private,
            about=None if about is None else Path(about),
            labels=None if labels is None else Path(labels),
            label_map=None if label_map is None else Path(label_map),
            attacker=None if attacker is None else Path(attacker),
            most=images,
            practice=QUICK_PRACTICE if quick else 0,
            seed=seed,
            tell=part(tell, 0.0, READ),
        )
    else:
        release = of_another_method(
            source,
            out,
            Path(pairs),
            size=size,
            claimed=claimed,
            most=images,
            seed=seed,
            tell=part(tell, 0.0, READ),
        )
    evaluation, scene = attack(
        release,
        folder / "parts",
        effort=effort,
        seed=seed,
        quick=quick,
        thresholds=thresholds,
        verifier=verifier,
        tell=part(tell, READ, 1.0),
    )
    page = write_evaluation(evaluation, scene, folder, card_of=out if pairs is None else None)
    return EvaluationReport(evaluation, page)
