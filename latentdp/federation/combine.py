"""Anybody's part: add up what sites shared. It sees nothing that is not public, and costs nothing.

Noisy sums add up over sites, and so does the variance of their noise: a sum of H equal sites has
sqrt(H) times the deviation that one curator of all their patients would have needed. Heads, which
took rounds, are averaged by the noisy numbers of patients.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core import plugins
from latentdp.errors import InputError
from latentdp.federation.describe import federated
from latentdp.federation.site_file import Site
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.head import Head, averaged
from latentdp.synthesis.learn import Learnt, calibrated
from latentdp.synthesis.learnt_checks import learnt_checks
from latentdp.synthesis.methods.base import SynthesisMethod
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.statistics import NoisyStatistics

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["add_up", "check_sites", "combine", "read_sites"]


def combine(sites: Sequence[Site], flow: Flow) -> Generator:
    """One generator and one head of all sites' patients.

    Args:
        sites: At least two, of other vaults, of one method and the same findings.
        flow: The public flow that all started from.

    Raises:
        InputError: They do not fit together, or a site claims what does not follow from its noise.
    """
    check_sites(sites)
    recipe = sites[0].generator.synthesis.recipe
    make = plugins.load("synthesis methods", recipe.method).method
    method = make(PublicModel.of(flow), len(recipe.declared))
    learnt = add_up(
        method,
        [_statistics(site, method) for site in sites],
        [site.generator.head for site in sites if site.generator.head is not None],
    )
    return Generator(
        mixture=learnt.mixture,
        head=calibrated(learnt, flow),
        synthesis=federated(sites, faint=learnt.faint),
    )


def add_up(
    method: SynthesisMethod, parts: Sequence[NoisyStatistics], heads: Sequence[Head]
) -> Learnt:
    """What one curator would have learnt of all patients, with the noise of every site.

    Args:
        method: Of all sites, with as many findings, whose names are public.
        parts: Noisy sums of each site.
        heads: Of each site, in the same order.
    """
    statistics = reduce(add, parts)
    everything = np.ones(method.findings + 1, dtype=np.bool_)
    patients = _patients(statistics)
    return Learnt(
        statistics=statistics,
        mixture=method.fit(statistics, everything),
        head=averaged(heads, [_patients(part) for part in parts]),
        known=everything[:-1],
        prevalence=statistics.prevalence(patients),
        patients=patients,
        deviation=statistics.counts.deviation * float(np.sqrt(len(everything))),
    )


def read_sites(paths: Sequence[Path], trusted: Collection[str] = ()) -> list[Site]:
    """Files of sites that fit together.

    Args:
        paths: Of the files.
        trusted: As for `check_sites`.

    Raises:
        InputError: One cannot be read, or they do not fit together.
    """
    sites = [Site.read(path) for path in paths]
    check_sites(sites, trusted)
    return sites


def check_sites(sites: Sequence[Site], trusted: Collection[str] = ()) -> None:
    """Refuses what does not add up.

    Args:
        sites: Whose signatures hold.
        trusted: Public keys, of which each site must have one; empty for any.

    Raises:
        InputError: Fewer than two, two of one vault, another method, findings or weights, or a
            claim that does not follow from the noise on a card.
    """
    if len(sites) < 2:
        raise InputError("expected files of at least 2 sites")
    first = sites[0].generator.synthesis
    keys: set[str] = set()
    for site in sites:
        name, synthesis = site.card.name, site.generator.synthesis
        if trusted and site.card.key not in trusted:
            raise InputError(f"the key of site {name!r} is none that you trust: {site.card.key}")
        if site.card.key in keys:
            raise InputError(
                f"two files come from the vault of site {name!r}: its patients would count twice"
            )
        keys.add(site.card.key)
        if site.generator.statistics is None or site.generator.head is None:
            raise InputError(f"the file of site {name!r} holds no sums that add up")
        theirs, ours = synthesis.recipe, first.recipe
        if (theirs.method, theirs.declared) != (ours.method, ours.declared):
            raise InputError(
                f"site {name!r} used another method or other findings than site "
                f"{sites[0].card.name!r}; all must give the same --method and --findings"
            )
        if synthesis.weights.sha256 != first.weights.sha256:
            raise InputError(f"site {name!r} started from other weights; all must use the same")
        if not synthesis.guarantee.private:
            raise InputError(f"the noise of site {name!r} came from a seed: it protects nobody")
        failed = [check.claim for check in learnt_checks(synthesis) if not check.ok]
        if failed:
            raise InputError(f"the card of site {name!r} does not hold: {', '.join(failed)}")


def _patients(statistics: NoisyStatistics) -> float:
    return max(1.0, float(statistics.counts.sums.sum()))


def _statistics(site: Site, method: SynthesisMethod) -> NoisyStatistics:
    """The sums of a site, which are as long and as noisy as its card says.

    Raises:
        InputError: They are not.
    """
    statistics, noise = site.generator.statistics, site.generator.synthesis.releases[0]
    assert statistics is not None
    expected = [
        (block.size, noise.scale / noise.grid * block.bound / block.share)
        for block in method.blocks
    ]
    found = [(len(block.sums), block.deviation) for block in statistics.blocks]
    sizes = [size for size, _ in expected] == [size for size, _ in found]
    if not sizes or not np.allclose([d for _, d in expected], [d for _, d in found]):
        raise InputError(f"the sums of site {site.card.name!r} are not those that its card states")
    return statistics
