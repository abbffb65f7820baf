"""Transport Layer Security of both kinds of archive: certificates in files, as PEM (PS3.15 B)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latentdp.errors import InputError

__all__ = ["Tls"]


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Which certificates are shown and trusted.

    Attributes:
        authority: Certificates of those who may sign the other side's; None for the system's.
        certificate: Ours, with those in between; None for none.
        key: Its private key, without a password; None where it is in ``certificate``.

    Raises:
        InputError: A file is missing or holds no such thing, or a key has no certificate.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.certificate is None:
            raise InputError("--tls-key needs --tls-cert")
        self.client()

    def client(self) -> ssl.SSLContext:
        """For whoever connects: the other side must be who its name says."""
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
        self._load(context)
        return context

    def server(self) -> ssl.SSLContext:
        """For whoever listens; with an authority only those that it has signed are let in.

        Raises:
            InputError: There is no certificate to show.
        """
        if self.certificate is None:
            raise InputError("listening with --tls needs --tls-cert and its --tls-key")
        context = _Server(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(context)
        if self.authority is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            if self.authority is not None:
                context.load_verify_locations(self.authority)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key, password=_no_password)
        except (OSError, ValueError):
            raise InputError(
                "expected certificates and their key as PEM in the files of --tls-ca, --tls-cert "
                "and --tls-key, the key without a password, got others"
            ) from None


class _Server(ssl.SSLContext):
    """Shakes hands when the first bytes are read, by whoever reads them.

    Else a client that says nothing would keep all others from connecting.
    """

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As of any context, but without a word yet."""
        return super().wrap_socket(*arguments, **options | {"do_handshake_on_connect": False})


def _no_password() -> str:
    """Instead of a question on the terminal, which nobody might answer."""
    raise ValueError
