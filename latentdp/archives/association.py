"""Associations with an application entity (PS3.8 7.1): opened, or refused in one line."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Any

from pynetdicom.ae import ApplicationEntity as OurEntity
from pynetdicom.association import Association
from pynetdicom.events import EventHandlerType
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext
from pynetdicom.status import (
    QR_FIND_SERVICE_CLASS_STATUS,
    QR_GET_SERVICE_CLASS_STATUS,
    QR_MOVE_SERVICE_CLASS_STATUS,
    STORAGE_SERVICE_CLASS_STATUS,
    code_to_category,
)

from latentdp.archives.address import ApplicationEntity
from latentdp.archives.connection import Connection
from latentdp.core.text import printable
from latentdp.errors import ArchiveError

__all__ = ["associate", "our_entity", "status_words"]

_PROBE = 5.0  # seconds to find out why no association came about
_STATUS = {
    "C-FIND": QR_FIND_SERVICE_CLASS_STATUS,
    "C-GET": QR_GET_SERVICE_CLASS_STATUS,
    "C-MOVE": QR_MOVE_SERVICE_CLASS_STATUS,
    "C-STORE": STORAGE_SERVICE_CLASS_STATUS,
}


def our_entity(connection: Connection) -> OurEntity:
    """Ourselves, with these time-outs."""
    entity = OurEntity(connection.title)
    entity.connection_timeout = connection.timeout
    entity.acse_timeout = connection.timeout
    entity.dimse_timeout = connection.timeout
    entity.network_timeout = connection.timeout
    return entity


def associate(
    entity: OurEntity,
    address: ApplicationEntity,
    connection: Connection,
    contexts: Sequence[PresentationContext],
    *,
    roles: Sequence[SCP_SCU_RoleSelectionNegotiation] = (),
    handlers: Sequence[EventHandlerType] = (),
) -> Association:
    """Opens an association.

    Raises:
        ArchiveError: Nobody answers, TLS fails, or the association is refused; with the reason.
    """
    tls = None if connection.tls is None else (connection.tls.client(), address.host)
    try:
        host = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:
        raise ArchiveError(f"{address}: the name of its machine is not known") from None
    association = entity.associate(
        str(host),
        address.port,
        contexts=list(contexts),
        ae_title=address.title,
        ext_neg=list(roles),
        tls_args=tls,
        evt_handlers=list(handlers),
    )
    if association.is_established:
        return association
    raise ArchiveError(f"{address}: {_why(association, address, connection)}")


def status_words(service: str, status: Any) -> str:
    """What a response says in words; "" for success.

    Args:
        service: ``C-STORE`` or another.
        status: The data set of the response; an empty one stands for none.
    """
    code = status.get("Status")
    if code is None:
        return f"no answer to {service}"
    if code == 0:
        return ""
    words = _STATUS[service].get(code, (code_to_category(code), ""))
    text = words[1] or {"Warning": "a warning"}.get(words[0], "refused")
    return f"{service} status 0x{code:04X}: {text}"


def _why(association: Association, address: ApplicationEntity, connection: Connection) -> str:
    """The reason why no association came about."""
    answer = association.acceptor.primitive
    if association.is_rejected and answer is not None:
        return (
            f"the association was refused ({printable(answer.reason_str)}); it must know us as "
            f"{connection.title}, and be called {address.title}"
        )
    try:
        with socket.create_connection((address.host, address.port), _PROBE) as probe:
            if connection.tls is None:
                return "the association came to no end; perhaps it wants TLS (--tls)"
            connection.tls.client().wrap_socket(probe, server_hostname=address.host).close()
    except ssl.SSLError as error:
        return f"no TLS came about ({getattr(error, 'verify_message', '') or error.reason})"
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return f"no connection ({error.strerror or 'closed'})"
    return "it closed the connection before an association came about"
