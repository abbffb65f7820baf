"""``latentdp privatize``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.data.dicom.profile import SYNTAXES
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.privacy.rounding import printed
from latentdp.reports.layout import Layout

from ._options import (
    AllChestsOption,
    AllFrontalOption,
    BurnedInOption,
    CandidatesOption,
    CharacteristicsOption,
    DeviceOption,
    EpsilonOption,
    EvidenceOption,
    IdentityOption,
    JsonOption,
    KeepOption,
    LabelMapOption,
    LabelReleaseOption,
    LabelsOption,
    LedgerOption,
    MechanismOption,
    NoDetailOption,
    PerElementOption,
    PresetOption,
    ShiftDatesOption,
    SizeOption,
    SyntaxOption,
    UidsOption,
    UnlabelledOption,
    WeightsOption,
    make_recipe,
)
from ._release_rows import charge, count_rows, misplaced_vault, noised_part_alone
from ._render import guarantee_table, print_json, progress, table

if TYPE_CHECKING:
    from latentdp import Privatizer
    from latentdp.release.request import ReleaseRequest


def privatize(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder of images (or one file).")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the release.")],
    preset: PresetOption = "balanced",
    epsilon: EpsilonOption = None,
    epsilon_per_element: PerElementOption = None,
    mechanism: MechanismOption = None,
    weights: WeightsOption = "cxr-adult",
    labels: LabelsOption = None,
    label_map: LabelMapOption = None,
    unlabelled: UnlabelledOption = Unlabelled.REFUSE,
    label_release: LabelReleaseOption = None,
    keep_label_dims: KeepOption = None,
    resample_identity: IdentityOption = None,
    shift_dates: ShiftDatesOption = False,
    retain_characteristics: CharacteristicsOption = False,
    retain_device: DeviceOption = False,
    retain_uids: UidsOption = False,
    accept_burned_in: BurnedInOption = False,
    all_chests: AllChestsOption = False,
    all_frontal: AllFrontalOption = False,
    evidence: EvidenceOption = None,
    size: SizeOption = None,
    no_detail: NoDetailOption = False,
    candidates: CandidatesOption = None,
    transfer_syntax: SyntaxOption = SYNTAXES[0],
    vault: Annotated[
        Path | None,
        typer.Option(
            "--vault",
            metavar="DIR",
            help="Private folder for key, ledger and reports; by default one for OUT in this "
            "user's state, which is shown. Use one vault for all releases of a project.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="EPSILON",
            help="Refuse (exit 3) if a patient would have spent more than this in the vault; "
            "a cap set by latentdp ledger holds too.",
        ),
    ] = None,
    budget_delta: Annotated[
        float | None,
        typer.Option(
            "--budget-delta",
            metavar="DELTA",
            help="The same for the sum of a patient's deltas. A sum of 1 is always refused.",
        ),
    ] = None,
    accept_unprotected: Annotated[
        bool,
        typer.Option(
            "--accept-unprotected",
            help="Let budget and cap bound what is noised alone. Without it they refuse every "
            "patient of whom something is, or was in an earlier release, released exactly: "
            "epsilon is infinity then.",
        ),
    ] = False,
    ledger: LedgerOption = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Release, and charge, inputs once more whose earlier output is lost or altered.",
        ),
    ] = False,
    layout: Annotated[
        Layout,
        typer.Option(
            "--layout",
            help="How images lie in OUT: flat (random names), study (folders of pseudonyms) or "
            "mirror (named as in IN, which may tell who it is).",
        ),
    ] = Layout.FLAT,
    mapping_out: Annotated[
        Path | None,
        typer.Option(
            "--mapping-out",
            metavar="FILE",
            help="Write old and new UIDs as CSV (id_old,id_new), and patient IDs beside it as "
            ".patients.csv. SECRET; mode 0600.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", help="Processes to use.")] = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Use the workers of a Dask cluster: its scheduler's address (tcp://host:8786) "
            "or scheduler file. They must reach IN by the same path.",
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact",
            help="Compute networks in float32 even where bfloat16 is faster; the guarantee is "
            "the same.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read everything, write nothing, show the numbers that a run would give.",
        ),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Privatize a folder of chest radiographs (DICOM, or PNG/JPEG/TIFF) into a new folder.

    Exit codes: 0 all done, 1 some files quarantined, 2 wrong usage or nothing usable, 3 budget
    refused, 4 weights refused, 5 stopped in the middle (run it again to go on).
    """
    from latentdp.release.request import ReleaseRequest

    request = ReleaseRequest(
        source=source,
        out=out,
        vault=vault,
        recipe=make_recipe(
            preset=preset,
            epsilon=epsilon,
            epsilon_per_element=epsilon_per_element,
            mechanism=mechanism,
            weights=weights,
            label_release=label_release,
            keep_label_dims=keep_label_dims,
            resample_identity=resample_identity,
            shift_dates=shift_dates,
            retain_characteristics=retain_characteristics,
            retain_device=retain_device,
            retain_uids=retain_uids,
            accept_burned_in=accept_burned_in,
            all_chests=all_chests,
            all_frontal=all_frontal,
            size=size,
            no_detail=no_detail,
            candidates=candidates,
            transfer_syntax=transfer_syntax,
            exact=exact,
        ),
        labels=labels,
        label_map=label_map,
        unlabelled=unlabelled,
        budget=budget,
        budget_delta=budget_delta,
        accept_unprotected=accept_unprotected,
        ledger=ledger,
        again=again,
        layout=layout,
        mapping=mapping_out,
        workers=workers,
        cluster=cluster,
    )
    privatizer = request.load()
    if evidence is not None:
        from latentdp.evaluation.evidence import with_evidence
        from latentdp.release.inputs import find_files

        inputs = [file.path for file in find_files(request.source)]
        privatizer = with_evidence(privatizer, evidence, vault=request.vault, inputs=inputs)
    run = _preview if dry_run else _release
    return run(request, privatizer, json=json)


def _preview(request: ReleaseRequest, privatizer: Privatizer, *, json: bool) -> int:
    from latentdp.release.preview import preview_release
    from latentdp.reports.card_guarantee import ImageGuarantee
    from latentdp.reports.guarantee_words import warnings

    with progress("reading", shown=not json) as advance:
        summary, refused = preview_release(request, privatizer, advance)
    image, patient = summary.guarantee, summary.patient
    if json:
        print_json(
            {
                "dry_run": True,
                "counts": summary.counts(),
                "patients": summary.patients,
                "patient_epsilon": summary.stated_patient.epsilon,
                "would_write_now": summary.released,
                **charge("to_charge_now", summary),
                "warnings": warnings(image, patient, request.layout),
                "guarantee": ImageGuarantee.of(image),
                "patient_guarantee": summary.stated_patient,
                "refused": [{"file": name, "reason": reason} for name, reason in refused],
            }
        )
        return summary.exit_code
    rows = count_rows(summary, "would be written")
    charged = f"epsilon {printed(summary.spent)}, all patients together"
    rows.append(("would charge", charged + noised_part_alone(summary.guarantee)))
    rows += [("refused", f"{name}: {reason}") for name, reason in refused]
    rows += guarantee_table(privatizer, image, patient, request.layout)
    table("dry run: nothing was written", rows)
    return summary.exit_code


def _release(request: ReleaseRequest, privatizer: Privatizer, *, json: bool) -> int:
    from latentdp.release.run import run_release
    from latentdp.release.uid_mapping import beside_mapping
    from latentdp.reports.release_card import CARD, IMAGES, ReleaseCard
    from latentdp.reports.release_contents import PAGE
    from latentdp.reports.review_page import PAGE as REVIEW

    out, vault = request.out, request.vault
    assert out is not None
    assert vault is not None
    with progress("privatizing", shown=not json) as advance:
        summary = run_release(request, privatizer, advance)
    if json:
        card = ReleaseCard.find(out)
        print_json(
            {
                "release": str(out / CARD),
                "vault": str(vault),
                "report": str(summary.report),
                "counts": summary.counts(),
                "written_now": summary.released,
                **charge("charged_now", summary),
                "warnings": card and card.warnings,
                "guarantee": card and card.guarantee,
            }
        )
        return summary.exit_code
    rows = count_rows(summary, "written")
    rows += guarantee_table(privatizer, summary.guarantee, summary.patient, request.layout)
    if request.mapping is not None:
        rows.append(("mapping", f"{request.mapping} (PRIVATE: old and new identifiers)"))
        people = beside_mapping(request.mapping)
        rows.append(("patients of it", f"{people} (PRIVATE: old and new patient IDs)"))
    rows += [
        ("images", str(out / IMAGES)),
        ("card", f"{out / CARD} (public)"),
        ("page", f"{out / PAGE} (public: open it in a browser)"),
        ("vault", f"{vault} (PRIVATE: key, ledger, before-after.png; do not release it)"),
        *misplaced_vault(vault, out),
        ("review", f"{vault / REVIEW} (PRIVATE: look at it before a release)"),
        ("report", str(summary.report)),
    ]
    table(f"release of {summary.inputs} files", rows)
    return summary.exit_code


command = privatize
