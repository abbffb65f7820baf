"""``latentdp watch``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp.data.splits import USUAL_SPLITS
from latentdp.errors import InputError
from latentdp.reports.layout import Layout

from ._archive_options import (
    TITLE,
    TimeoutOption,
    TitleOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
    TlsOption,
    make_tls,
)
from ._config import configurable
from ._given_recipe import GivenRecipe, takes_recipe
from ._notices import event, events, line, lines
from ._options import FormatOption, JsonOption, NoMarkOption
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
    from latentdp.archives.storage_scp import Listener


def watch(
    places: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDERS",
            help="Folder that is watched, unless --port is given; and then OUT, the folder of the "
            "release, new or to be gone on with.",
        ),
    ],
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", help="Listen on this port for what is sent (C-STORE)."
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="To listen on: 0.0.0.0 for a network, by default this machine alone.",
        ),
    ] = "127.0.0.1",
    title: TitleOption = TITLE,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="AE",
            help="AE title that may send; may be given more than once.",
        ),
    ] = None,
    accept_any: Annotated[
        bool, typer.Option("--accept-any", help="Let every AE title send.")
    ] = False,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    timeout: TimeoutOption = 60.0,
    quiet: Annotated[
        float,
        typer.Option(
            "--quiet",
            metavar="SECONDS",
            help="Release a patient's files once none has come or changed for so long.",
        ),
    ] = 60.0,
    spool: Annotated[
        Path | None,
        typer.Option(
            "--spool",
            metavar="DIR",
            help="Private folder for received originals, quarantined ones among them; by default "
            "beside the vault.",
        ),
    ] = None,
    delete_originals: Annotated[
        bool,
        typer.Option(
            "--delete-originals", help="Delete received originals once they have an output."
        ),
    ] = False,
    *,
    given: GivenRecipe,
    file_format: FormatOption = None,
    no_mark: NoMarkOption = False,
    splits: SplitsOption = USUAL_SPLITS,
    parquet: ParquetOption = False,
    vault: VaultOption = None,
    budget: BudgetOption = None,
    budget_delta: BudgetDeltaOption = None,
    accept_unprotected: AcceptUnprotectedOption = False,
    ledger: LedgerOption = None,
    layout: LayoutOption = Layout.FLAT,
    language: LanguageOption = None,
    workers: WorkersOption = 1,
    exact: ExactOption = False,
    json: JsonOption = False,
) -> int:
    """Release what arrives, over the network or in a folder, under a standing recipe and budget.

    It runs until it is interrupted (Ctrl-C, SIGTERM); the same command goes on. With --json each
    line is an event.

    Exit codes: 0 stopped, all files have an output; 1 stopped, some were quarantined or refused;
    2 wrong usage, 3 budget refused, 4 weights refused, 5 stopped in the middle by a full disk or
    the like.
    """
    from latentdp.archives.connection import need_network
    from latentdp.archives.spool import Spool, default_spool
    from latentdp.archives.watch import WatchedSource
    from latentdp.archives.watch import watch as watch_arrivals
    from latentdp.release.request import ReleaseRequest
    from latentdp.vault.default_vault import default_vault

    if len(places) != (1 if port is not None else 2):
        raise InputError(
            "expected a folder to watch and OUT, or --port and OUT alone; got another number of "
            "folders"
        )
    if port is not None:
        need_network()
    *folders, out = places
    safe = vault or default_vault(out)
    recipe = replace(given.recipe, file_format=file_format, mark=not no_mark, exact=exact)
    source = WatchedSource(
        folder=folders[0] if folders else None,
        listener=None
        if port is None
        else _listener(
            title, port, host, accept, accept_any, timeout, (tls, tls_ca, tls_cert, tls_key)
        ),
        quiet=quiet,
        keep=not delete_originals,
    )
    place = Spool(spool or default_spool(safe), out, safe)
    request = ReleaseRequest(
        source=place.work,
        out=out,
        vault=safe,
        recipe=recipe,
        labels=given.labels,
        label_map=given.label_map,
        unlabelled=given.unlabelled,
        budget=budget,
        budget_delta=budget_delta,
        accept_unprotected=accept_unprotected,
        ledger=ledger,
        layout=layout,
        splits=splits,
        parquet=parquet,
        language=language,
        workers=workers,
    )
    tell = events if json else lines
    # Not request.load(): nothing need have arrived.
    privatizer = request.recipe.load(labelled=request.labelled, unlabelled=request.unlabelled)
    done = watch_arrivals(request, privatizer, place, source, tell)
    if json:
        event(
            "stopped",
            runs=done.runs,
            files=done.files,
            released=done.released,
            quarantined=done.quarantined,
            refused=done.refused,
            out=str(out),
            vault=str(safe),
            spool=str(place.path),
        )
    else:
        line(
            f"stopped; {done.released} images of {done.files} files released into {out}, "
            f"{done.quarantined} quarantined, {done.refused} refused; vault {safe} and spool "
            f"{place.path} are PRIVATE"
        )
    return done.exit_code


def _listener(
    title: str,
    port: int,
    host: str,
    accept: list[str] | None,
    accept_any: bool,
    timeout: float,
    tls: tuple[bool, Path | None, Path | None, Path | None],
) -> Listener:
    from latentdp.archives.address import ae_title
    from latentdp.archives.storage_scp import Listener

    if bool(accept) == accept_any:
        raise InputError("say who may send: --accept AE for each, or --accept-any")
    return Listener(
        title=ae_title(title),
        port=port,
        host=host,
        accept=tuple(map(ae_title, accept or ())),
        tls=make_tls(*tls),
        timeout=timeout,
    )


command = configurable(takes_recipe(watch))
