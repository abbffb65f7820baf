"""Options of the commands that speak to archives, and what they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from latentdp.archives.address import ae_title
from latentdp.archives.connection import TITLE, Connection
from latentdp.archives.credentials import VARIABLE, find_credentials
from latentdp.archives.tls import Tls

__all__ = ["TITLE", "make_connection", "make_tls"]

ArchiveArgument = Annotated[
    str,
    typer.Argument(
        metavar="ARCHIVE",
        help="URL of a DICOMweb service (https://HOST/PATH), or an application entity "
        "(TITLE@HOST:PORT).",
    ),
]
TitleOption = Annotated[
    str, typer.Option("--title", metavar="AE", help="Our own AE title, for DIMSE.")
]
TlsOption = Annotated[
    bool,
    typer.Option("--tls", help="Speak DIMSE over TLS. (DICOMweb does so where its URL is https.)"),
]
TlsCaOption = Annotated[
    Path | None,
    typer.Option(
        "--tls-ca",
        metavar="PEM",
        help="Certificates of those who may sign the other side's; by default the system's.",
    ),
]
TlsCertOption = Annotated[
    Path | None, typer.Option("--tls-cert", metavar="PEM", help="Our certificate, to show.")
]
TlsKeyOption = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="PEM", help="Its private key, without a password."),
]
CredentialsOption = Annotated[
    Path | None,
    typer.Option(
        "--credentials",
        metavar="FILE",
        help="For DICOMweb: a private file with the line 'bearer TOKEN' or 'basic "
        f"USER:PASSWORD'. Default: the variable {VARIABLE}, of the same form.",
    ),
]
TimeoutOption = Annotated[
    float,
    typer.Option("--timeout", metavar="SECONDS", help="For which an answer is waited."),
]


def make_tls(
    wanted: bool, authority: Path | None, certificate: Path | None, key: Path | None
) -> Tls | None:
    """Certificates, if TLS is asked for or any is given.

    Raises:
        InputError: They cannot be used.
    """
    if not wanted and not (authority or certificate or key):
        return None
    return Tls(authority=authority, certificate=certificate, key=key)


def make_connection(
    archive: str,
    *,
    title: str,
    timeout: float,
    tls: Tls | None,
    credentials: Path | None,
    port: int | None = None,
    host: str = "",
) -> Connection:
    """How an archive is spoken to.

    Raises:
        InputError: A value is out of its range.
    """
    web = archive.startswith(("http://", "https://"))
    return Connection(
        title=ae_title(title),
        timeout=timeout,
        tls=tls,
        # The variable may be set for another archive.
        credentials=find_credentials(credentials) if web or credentials else None,
        port=port,
        host=host,
    )
