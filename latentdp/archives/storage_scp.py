"""A Storage SCP (PS3.4 B): takes what other application entities send.

Success is answered when the file is on the disk, whole, and not before. Whoever sent a file that
is not acknowledged sends it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from pynetdicom import AllStoragePresentationContexts, evt
from pynetdicom.ae import ApplicationEntity as OurEntity

from latentdp.archives.archive import StoreCallback
from latentdp.archives.syntaxes import SYNTAXES, VERIFICATION
from latentdp.archives.tls import Tls
from latentdp.core.text import printable
from latentdp.errors import InputError

__all__ = ["Listener", "StorageScp"]

_PATIENCE = 10.0  # seconds in which an association that is open at the end may finish
_OUT_OF_RESOURCES, _NOT_UNDERSTOOD = 0xA700, 0xC000  # PS3.4 B.2.3


@dataclass(frozen=True, kw_only=True)
class Listener:
    """Where we listen, and to whom.

    Attributes:
        title: Our AE title, by which we must be called.
        port: To listen on; 0 for any that is free.
        host: Address to listen on; "" for all of this machine.
        accept: AE titles that may call; none means all.
        tls: Certificates; None for no TLS.
        timeout: Seconds after which a silent association ends.
    """

    title: str
    port: int
    host: str = "127.0.0.1"
    accept: Sequence[str] = ()
    tls: Tls | None = None
    timeout: float = 60.0


class StorageScp:
    """Listens while it is open; a context manager.

    Args:
        listener: Where, and to whom.
        store: Is given each file, in another thread; returns when it is safe.
        refused: Told, in another thread, of whoever was not let in.

    Raises:
        InputError: The port is taken, or may not be used.
    """

    def __init__(
        self,
        listener: Listener,
        store: StoreCallback,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        self._listener, self._store, self._refused = listener, store, refused
        self._entity = OurEntity(listener.title)
        self._entity.require_called_aet = True
        self._entity.require_calling_aet = list(listener.accept)
        self._entity.acse_timeout = listener.timeout
        self._entity.dimse_timeout = listener.timeout
        self._entity.network_timeout = listener.timeout
        self._entity.add_supported_context(VERIFICATION)
        for context in AllStoragePresentationContexts:
            if context.abstract_syntax is not None:
                self._entity.add_supported_context(context.abstract_syntax, list(SYNTAXES))
        tls = None if listener.tls is None else listener.tls.server()
        try:
            self._server = self._entity.start_server(
                (listener.host, listener.port),
                block=False,
                ssl_context=tls,
                evt_handlers=[
                    (evt.EVT_C_STORE, self._take),
                    (evt.EVT_REJECTED, self._turned_away),
                ],
            )
        except OSError as error:
            raise InputError(
                f"port {listener.port} of {listener.host or 'this machine'} cannot be listened on "
                f"({error.strerror})"
            ) from None
        assert self._server is not None

    @property
    def port(self) -> int:
        """That it listens on."""
        assert self._server is not None
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Lets nobody in any more; who is in may finish, for a while."""
        assert self._server is not None
        self._server.shutdown()
        until = time.monotonic() + _PATIENCE
        while self._entity.active_associations and time.monotonic() < until:
            time.sleep(0.05)
        self._entity.shutdown()

    def _take(self, event: evt.Event) -> int:
        try:
            data = event.encoded_dataset()
            instance = str(event.request.AffectedSOPInstanceUID)  # type: ignore[union-attr]
        except (AttributeError, ValueError):
            return _NOT_UNDERSTOOD
        try:
            self._store(instance, data)
        except OSError:
            return _OUT_OF_RESOURCES
        return 0

    def _turned_away(self, event: evt.Event) -> None:
        if self._refused is not None:
            title = printable(event.assoc.requestor.ae_title)
            self._refused(f"an association of the AE title {title!r} was refused")
