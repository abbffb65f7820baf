"""``latentdp privatize``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError
from latentdp.data.splits import USUAL_SPLITS
from latentdp.privacy.rounding import printed
from latentdp.reports.layout import Layout

from ._config import configurable
from ._given_recipe import GivenRecipe, takes_recipe
from ._options import EvidenceOption, FormatOption, JsonOption, NoMarkOption
from ._panels import FIRST, OUTPUT, RUN
from ._release_rows import (
    charge,
    count_rows,
    fit_values,
    misplaced_vault,
    noised_part_alone,
    open_vault,
)
from ._render import guarantee_table, print_json, progress, table
from ._run_options import (
    AcceptUnprotectedOption,
    BudgetDeltaOption,
    BudgetOption,
    ExactOption,
    LanguageOption,
    LayoutOption,
    LedgerOption,
    ParquetOption,
    SplitsOption,
    VaultOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from latentdp import Privatizer
    from latentdp.release.request import ReleaseRequest


def privatize(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Folder of images (or one file).")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder for the release.")],
    *,
    given: GivenRecipe,
    evidence: EvidenceOption = None,
    file_format: FormatOption = None,
    no_mark: NoMarkOption = False,
    splits: SplitsOption = USUAL_SPLITS,
    parquet: ParquetOption = False,
    vault: VaultOption = None,
    budget: BudgetOption = None,
    budget_delta: BudgetDeltaOption = None,
    accept_unprotected: AcceptUnprotectedOption = False,
    ledger: LedgerOption = None,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Release, and charge, inputs once more whose earlier output is lost or altered.",
            rich_help_panel=RUN,
        ),
    ] = False,
    layout: LayoutOption = Layout.FLAT,
    mapping_out: Annotated[
        Path | None,
        typer.Option(
            "--mapping-out",
            metavar="FILE",
            help="Write old and new UIDs as CSV (id_old,id_new), and patient IDs beside it as "
            ".patients.csv. SECRET; mode 0600.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    language: LanguageOption = None,
    workers: WorkersOption = 1,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS|FILE",
            help="Use the workers of a Dask cluster: its scheduler's address (tcp://host:8786) "
            "or scheduler file. They must reach IN by the same path.",
            rich_help_panel=RUN,
        ),
    ] = None,
    exact: ExactOption = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read everything, write nothing, show the numbers that a run would give.",
            rich_help_panel=FIRST,
        ),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Privatize a folder of chest radiographs (DICOM, or PNG/JPEG/TIFF) into a new folder.

    Exit codes: 0 all done, 1 some files quarantined, 2 wrong usage or nothing usable, 3 budget
    refused, 4 weights refused, 5 stopped in the middle (run it again to go on).
    """
    from latentdp.release.request import ReleaseRequest

    if evidence is not None and not evidence.is_file():
        raise InputError("expected --evidence to be an evaluation.json of latentdp")
    request = ReleaseRequest(
        source=source,
        out=out,
        vault=vault,
        recipe=replace(given.recipe, file_format=file_format, mark=not no_mark, exact=exact),
        labels=given.labels,
        label_map=given.label_map,
        unlabelled=given.unlabelled,
        budget=budget,
        budget_delta=budget_delta,
        accept_unprotected=accept_unprotected,
        ledger=ledger,
        again=again,
        layout=layout,
        splits=splits,
        parquet=parquet,
        mapping=mapping_out,
        workers=workers,
        cluster=cluster,
        language=language,
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
    from latentdp.reports.warning_words import warnings

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
                "warnings": warnings(
                    image,
                    patient,
                    request.layout,
                    privatizer.warnings,
                    budget=privatizer.recipe.patient_budget,
                ),
                "guarantee": ImageGuarantee.of(image),
                "patient_guarantee": summary.stated_patient,
                "refused": [{"file": name, "reason": reason} for name, reason in refused],
            }
        )
        return summary.exit_code
    rows = count_rows(summary, "would be written")
    charged = f"epsilon {printed(summary.spent)}, all patients together"
    rows.append(("would charge", charged + noised_part_alone(summary.guarantee)))
    rows += [("would be quarantined", f"{name}: {reason}") for name, reason in refused]
    rows += guarantee_table(privatizer, image, patient, request.layout)
    table("dry run: nothing was written", rows)
    return summary.exit_code


def _release(request: ReleaseRequest, privatizer: Privatizer, *, json: bool) -> int:
    from latentdp.release.run import run_release
    from latentdp.release.uid_mapping import beside_mapping
    from latentdp.reports.compliance import COMPLIANCE
    from latentdp.reports.image_table import METADATA
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
                "vault_warnings": [text for _, text in open_vault(vault)],
                "report": str(summary.report),
                "counts": summary.counts(),
                "fit": fit_values(summary.fit),
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
        ("table", f"{out / METADATA} (public: a row of each image, for machine learning)"),
        ("card", f"{out / CARD} (public)"),
        ("compliance", f"{out / COMPLIANCE} (public: each action beside its clauses)"),
        ("page", f"{out / PAGE} (public: open it in a browser)"),
        ("vault", f"{vault} (PRIVATE: key, ledger, before-after.png; do not release it)"),
        *misplaced_vault(vault, out),
        *open_vault(vault),
        ("review", f"{vault / REVIEW} (PRIVATE: look at it before a release)"),
        ("report", str(summary.report)),
    ]
    table(f"release of {summary.inputs} file{'' if summary.inputs == 1 else 's'}", rows)
    return summary.exit_code


command = configurable(takes_recipe(privatize))
