"""Where an archive is: the URL of a DICOMweb service, or an application entity."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from latentdp.errors import InputError

__all__ = ["Address", "ApplicationEntity", "WebService", "ae_title", "parse_address"]

_NODE = re.compile(r"(?P<title>.+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[^@:/\[\]]+):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class WebService:
    """A DICOMweb service.

    Attributes:
        url: Its base, without a slash at the end.
    """

    url: str

    @property
    def encrypted(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.url.startswith("https:")

    @property
    def local(self) -> bool:
        """Whether it is on this machine, so that nothing crosses a network."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class ApplicationEntity:
    """A DICOM application entity, PS3.8 7.1.1.

    Attributes:
        title: Its AE title, 1 to 16 characters.
        host: Name or address of its machine.
        port: 1 to 65535.
    """

    title: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.title}@{host}:{self.port}"


Address: TypeAlias = WebService | ApplicationEntity


def parse_address(text: str) -> Address:
    """Reads an address.

        >>> parse_address("https://pacs.example/dicom-web/")
        WebService(url='https://pacs.example/dicom-web')
        >>> parse_address("PACS@10.0.0.5:104")
        ApplicationEntity(title='PACS', host='10.0.0.5', port=104)

    Args:
        text: ``https://HOST/PATH``, ``http://HOST/PATH`` or ``TITLE@HOST:PORT``.

    Raises:
        InputError: It is neither, or holds a user or password: other users see the arguments of
            a command.
    """
    if text.startswith(("https://", "http://")):
        return _web(text)
    node = _NODE.fullmatch(text)
    if node is None or not 0 < int(node["port"]) < 65536:
        raise InputError(
            "expected an archive as https://HOST/PATH (DICOMweb) or TITLE@HOST:PORT (DIMSE), got "
            "another form"
        )
    return ApplicationEntity(ae_title(node["title"]), node["host"].strip("[]"), int(node["port"]))


def ae_title(text: str) -> str:
    """An AE title, checked (PS3.5 6.2: 1 to 16 characters, no backslash, not spaces alone).

    Raises:
        InputError: It is none.
    """
    title = text.strip(" ")
    if not re.fullmatch(r"[ -\[\]-~]{1,16}", title):
        raise InputError("expected an AE title of 1 to 16 ASCII characters without a backslash")
    return title


def _web(text: str) -> WebService:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.query or parts.fragment:
        raise InputError(
            "expected the URL of a DICOMweb service as https://HOST/PATH, got another form"
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "expected a URL without user and password, which others could read; give them by "
            "--credentials FILE or in LATENTDP_CREDENTIALS"
        )
    return WebService(text.rstrip("/"))
