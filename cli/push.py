"""``latentdp push``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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


def push(
    release: Annotated[
        Path, typer.Argument(metavar="RELEASE", help="Folder of a release, with its card.")
    ],
    archive: ArchiveArgument,
    title: TitleOption = TITLE,
    tls: TlsOption = False,
    tls_ca: TlsCaOption = None,
    tls_cert: TlsCertOption = None,
    tls_key: TlsKeyOption = None,
    credentials: CredentialsOption = None,
    timeout: TimeoutOption = 60.0,
    again: Annotated[
        bool,
        typer.Option("--again", help="Send also what the archive has acknowledged before."),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Send the DICOM images of a release to an archive (DICOMweb or DIMSE).

    Only a folder whose card verifies is sent, and of it the images alone. What the archive has
    acknowledged is remembered in this user's state, so that the same command goes on where it
    stopped.

    Exit codes: 0 the archive has all images, 1 it did not take some, 2 wrong usage or nothing
    that may be sent, 7 it cannot be reached or refuses (run it again to go on).
    """
    from latentdp.archives.address import parse_address
    from latentdp.archives.push import push as push_release

    address = parse_address(archive)
    connection = make_connection(
        archive,
        title=title,
        timeout=timeout,
        tls=make_tls(tls, tls_ca, tls_cert, tls_key),
        credentials=credentials,
    )
    with progress("sending", shown=not json) as advance:
        pushed = push_release(release, address, connection, advance, again=again)
    if json:
        print_json(
            {
                "archive": str(address),
                "images": pushed.images,
                "sent": pushed.sent,
                "already": pushed.already,
                "not_dicom": pushed.pictures,
                "problems": pushed.problems,
                "remarks": pushed.remarks,
                "warnings": pushed.warnings,
            }
        )
        return pushed.exit_code
    rows = [("WARNING", line) for line in pushed.warnings]
    rows += [("sent", str(pushed.sent)), ("sent before", str(pushed.already))]
    if pushed.pictures:
        rows.append(("not sent", f"{pushed.pictures} pictures, which are not DICOM"))
    rows += [("NOT TAKEN", line) for line in pushed.problems]
    rows += [("remark", line) for line in pushed.remarks]
    table(f"{pushed.images} images to {address}", rows)
    return pushed.exit_code


command = push
