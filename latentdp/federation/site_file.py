"""What one hospital sends: its generator with the noisy sums behind it, signed by its vault.

The file is public. It is a zip archive of ``generator.safetensors`` and ``site.json``, and nothing
in it can run code. The signature shows that all files of a site come from the one who holds its
vault; whose vault that is, people tell each other by the key.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Self

from msgspec import Struct

from latentdp.core.documents import from_json, to_json
from latentdp.core.filesystem import whole
from latentdp.core.site_name import check_name
from latentdp.core.version import __version__
from latentdp.errors import InputError
from latentdp.reports.release_contents import GENERATOR
from latentdp.synthesis.generator import Generator
from latentdp.vault.keys import Keys
from latentdp.vault.signature import is_signed, public_key, signature

__all__ = ["Site", "SiteCard", "is_site", "write_site"]

CARD = "site.json"
LARGEST = 1 << 28  # bytes of a generator


class SiteCard(Struct, frozen=True, kw_only=True):
    """Who sends a generator.

    Attributes:
        tool: ``latentdp``.
        version: Of the program.
        format: Of the file.
        name: What the site calls itself.
        key: Public key, 64 hexadecimal digits.
        generator: SHA-256 of the generator's file, in hexadecimal.
        signature: Of all that, in hexadecimal.
    """

    tool: Literal["latentdp"]
    version: str
    format: Literal[1]
    name: str
    key: str
    generator: str
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """What the signature is of."""
        values = to_json(self) | {"signature": ""}
        return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Site:
    """A site's file, whose signature and digest hold.

    Attributes:
        card: Who sends it.
        generator: What they learnt, and at which cost.
    """

    card: SiteCard
    generator: Generator

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads what `write_site` wrote.

        Raises:
            InputError: It is no such file, damaged, or signed by another key.
            WeightsError: Its generator is damaged.
        """
        try:
            with zipfile.ZipFile(path) as file:
                card = from_json(json.loads(_member(file, CARD)), SiteCard, "the card of the site")
                content = _member(file, GENERATOR)
            check_name(card.name)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(
                f"{path.name}: expected a file of latentdp federate share, which is whole"
            ) from error
        if hashlib.sha256(content).hexdigest() != card.generator or not is_signed(
            card.key, card.signature, card.signed
        ):
            raise InputError(f"{path.name}: it was altered after it was signed; ask for it again")
        with TemporaryDirectory() as folder:
            (Path(folder) / GENERATOR).write_bytes(content)
            return cls(card, Generator.load(Path(folder) / GENERATOR))


def is_site(path: Path) -> bool:
    """Whether it is a file that could be a site's: it is read by `Site.read`."""
    return path.is_file() and zipfile.is_zipfile(path)


def write_site(path: Path, generator: Path, name: str, keys: Keys) -> SiteCard:
    """Writes a site's file, whole or not at all.

    Args:
        path: Of the file.
        generator: File of what was learnt.
        name: What the site calls itself; it is public.
        keys: Of the site's vault, from which its signing key follows.
    """
    content = generator.read_bytes()
    values = {
        "tool": "latentdp",
        "version": __version__,
        "format": 1,
        "name": name,
        "key": public_key(keys),
        "generator": hashlib.sha256(content).hexdigest(),
    }
    unsigned = from_json(values, SiteCard, "the card of the site")
    values["signature"] = signature(keys, unsigned.signed)
    with whole(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        # Without the time at which it was written: it tells nobody anything that they need.
        file.writestr(zipfile.ZipInfo(CARD), json.dumps(values, indent=2) + "\n")
        file.writestr(zipfile.ZipInfo(GENERATOR), content)
    return from_json(values, SiteCard, "the card of the site")


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > LARGEST:
        raise ValueError("larger than any generator")
    return file.read(name)
