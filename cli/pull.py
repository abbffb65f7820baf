"""``latentdp pull``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from latentdp.archives.study_filter import MODALITIES

from ._archive_options import (
    TITLE,
    ArchiveArgument,
    CredentialsOption,
    TimeoutOption,
    TitleOption,
    TlsCaOption,
    TlsCertOption,
    TlsKeyOption,
    TlsOption,
    make_connection,
    make_tls,
)
from ._options import JsonOption
from ._render import print_json, progress, table


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise typer.BadParameter("expected a date as 2024-05-31") from None


def pull(
    archive: ArchiveArgument,
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="Private folder for the originals; made if absent."),
    ],
    modality: Annotated[
        list[str] | None,
        typer.Option(
            "--modality",
            metavar="CODE",
            help="Of the series to fetch; may be given more than once. Default: "
            f"{' and '.join(MODALITIES)}.",
        ),
    ] = None,
    first: Annotated[
        date | None,
        typer.Option(
            "--from", metavar="DATE", parser=_day, help="Earliest study date, as 2024-05-31."
        ),
    ] = None,
    last: Annotated[
        date | None,
        typer.Option("--to", metavar="DATE", parser=_day, help="Latest study date."),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list",
            metavar="CSV",
            help="Studies or patients to fetch: a column StudyInstanceUID, AccessionNumber or "
            "PatientID (with StudyDate); what stands in one row must all be so.",
        ),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Fetch whatever the archive has of these modalities."),
    ] = False,
    title: TitleOption = TITLE,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            metavar="N",
            help="For DIMSE: have the archive send to this port (C-MOVE), under our AE title, "
            "which it must know. Without it images come on our own association (C-GET).",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            "--host", metavar="ADDRESS", help="To listen on with --port; by default all."
        ),
    ] = "",
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    credentials: CredentialsOption = None,
    timeout: TimeoutOption = 60.0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count the studies that fit, and fetch nothing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Fetch studies from an archive (DICOMweb or DIMSE) into a private folder, for privatize.

    A study is in FOLDER whole or not at all; what lies there is not fetched again, so that the
    same command goes on where it stopped. Beside it, FOLDER.pull holds a private report.

    Exit codes: 0 all studies are there, 1 some are not, 2 wrong usage or none fits, 5 stopped in
    the middle, 7 the archive cannot be reached or refuses (run it again to go on).
    """
    from latentdp.archives.address import parse_address
    from latentdp.archives.pull import count_studies
    from latentdp.archives.pull import pull as pull_studies
    from latentdp.archives.study_filter import StudyFilter, read_list

    address = parse_address(archive)
    wanted = StudyFilter(
        modalities=tuple(dict.fromkeys(modality or MODALITIES)),
        first=first,
        last=last,
        rows=read_list(listed) if listed else None,
        everything=everything,
    )
    connection = make_connection(
        archive,
        title=title,
        timeout=timeout,
        tls=make_tls(tls, tls_ca, tls_cert, tls_key),
        credentials=credentials,
        port=port,
        host=host,
    )
    if dry_run:
        studies = count_studies(address, wanted, connection)
        if json:
            print_json({"dry_run": True, "studies": studies})
        else:
            table("dry run: nothing was fetched", [("studies that fit", str(studies))])
        return 0 if studies else 2
    with progress("fetching", shown=not json) as advance:
        pulled = pull_studies(address, folder, wanted, connection, advance)
    if json:
        print_json(
            {
                "folder": str(folder),
                "report": str(pulled.report),
                "studies": pulled.studies,
                "fetched": pulled.fetched,
                "already": pulled.already,
                "instances_fetched": pulled.instances,
                "problems": pulled.problems,
            }
        )
        return pulled.exit_code
    rows = [
        ("fetched", f"{pulled.fetched} studies, {pulled.instances} images"),
        ("already there", f"{pulled.already} studies"),
        *(("NOT FETCHED", line) for line in pulled.problems),
        ("folder", f"{folder} (PRIVATE: originals)"),
        ("report", f"{pulled.report} (PRIVATE: each study by its UID)"),
    ]
    table(f"{pulled.studies} studies fit", rows)
    return pulled.exit_code


command = pull
