"""Small hospitals that share what they learnt."""

from pathlib import Path

import numpy as np

from latentdp.federation.share import share
from latentdp.federation.site_file import Site
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import pictures, request

FINDINGS = "a;b"


def shared(place: Path, name: str = "", patients: int = 12, **changes) -> Path:
    """The file of a hospital with pictures of its own."""
    if not (place / "in").exists():
        pictures(place, patients)
    asked = request(place, f"{place.name}.site", **{"findings": FINDINGS} | changes)
    share(asked, shared_flow(), name or place.name)
    return asked.out


def sites(tmp_path: Path, *names: str, **changes) -> list[Site]:
    return [Site.read(shared(tmp_path / name, **changes)) for name in names]


def sums(site: Site) -> np.ndarray:
    return np.concatenate([block.sums for block in site.generator.statistics.blocks])
