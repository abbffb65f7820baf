"""How a generator of several sites describes itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import structs

from latentdp.federation.site_file import Site
from latentdp.reports.synthesis_card import FederatedSite, Synthesis
from latentdp.synthesis.describe import joined_guarantee, warnings_of

__all__ = ["federated"]


def federated(sites: Sequence[Site], *, faint: bool) -> Synthesis:
    """All that is said of what sites learnt together.

    Each patient's guarantee is that of their own site, so the largest is stated for all.

    Args:
        sites: Of one method and the same findings and weights.
        faint: Whether all together hardly stand out of their noise.
    """
    parts = [site.generator.synthesis for site in sites]
    first, recipes = parts[0], [part.recipe for part in parts]
    guarantee = joined_guarantee([part.guarantee for part in parts])
    return Synthesis(
        run=_run(sites),
        recipe=structs.replace(
            first.recipe,
            epsilon=max(recipe.epsilon for recipe in recipes),
            delta=max(recipe.delta for recipe in recipes),
            images_per_patient=max(recipe.images_per_patient for recipe in recipes),
            accept_burned_in=any(recipe.accept_burned_in for recipe in recipes),
            all_chests=any(recipe.all_chests for recipe in recipes),
            all_frontal=any(recipe.all_frontal for recipe in recipes),
        ),
        names_delta=0.0,
        releases=(),
        guarantee=guarantee,
        findings=first.findings,
        weights=first.weights,
        public=first.public,
        touched=first.touched,
        warnings=warnings_of(guarantee, faint=faint, findings=first.findings),
        sites=tuple(
            FederatedSite(
                name=site.card.name,
                key=site.card.key,
                generator=site.card.generator,
                synthesis=site.generator.synthesis,
            )
            for site in sites
        ),
    )


def _run(sites: Sequence[Site]) -> str:
    """The same files add up to the same synthesis, in any order."""
    digests = ";".join(sorted(site.card.generator for site in sites))
    return hashlib.sha256(digests.encode()).hexdigest()[:32]
