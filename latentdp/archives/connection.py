"""How an archive is spoken to, and with what."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latentdp.archives.address import Address, WebService, ae_title
from latentdp.archives.credentials import Credentials
from latentdp.archives.tls import Tls
from latentdp.errors import InputError

if TYPE_CHECKING:
    from latentdp.archives.archive import Archive

__all__ = ["TITLE", "Connection", "connect", "need_network"]

TITLE = "LATENTDP"
_EXTRA = ("pynetdicom", "dicomweb_client")


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How an archive is spoken to.

    Attributes:
        title: AE title under which we call.
        timeout: Seconds for which an answer is waited.
        tls: Certificates; None for none of our own, and for DIMSE no TLS at all.
        credentials: For DICOMweb; None for none.
        port: Where an archive shall send what it is asked for (C-MOVE); None to have it on the
            same association (C-GET).
        host: Address on which we listen there.

    Raises:
        InputError: A value is out of its range.
    """

    title: str = TITLE
    timeout: float = 60.0
    tls: Tls | None = None
    credentials: Credentials | None = None
    port: int | None = None
    host: str = ""

    def __post_init__(self) -> None:
        ae_title(self.title)
        if not 0 < self.timeout <= 86_400:
            raise InputError(f"expected a time-out of up to 86400 seconds, got {self.timeout:g}")
        if self.port is not None and not 0 < self.port < 65536:
            raise InputError(f"expected a port from 1 to 65535, got {self.port}")


def connect(address: Address, connection: Connection) -> Archive:
    """The archive at an address; a context manager, which connects when it is first asked.

    Raises:
        InputError: The extra ``network`` is not installed, or options do not fit the address.
    """
    need_network()
    if isinstance(address, WebService):
        from latentdp.archives.dicomweb import WebArchive

        if connection.port is not None:
            raise InputError("--port is for an archive that is named as TITLE@HOST:PORT")
        if connection.credentials and not (address.encrypted or address.local):
            raise InputError("credentials are sent over https:// alone; others could read them")
        return WebArchive(address, connection)
    from latentdp.archives.dimse import DimseArchive

    if connection.credentials is not None:
        raise InputError(
            "credentials are for DICOMweb; an application entity knows us by AE title and by "
            "--tls-cert"
        )
    return DimseArchive(address, connection)


def need_network() -> None:
    """Refuses to go on without the libraries that speak to archives.

    Raises:
        InputError: They are not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in _EXTRA):
        raise InputError(
            "archives need the packages pynetdicom and dicomweb-client; "
            "pip install latentdp[network]"
        )
