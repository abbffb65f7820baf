"""What `latentdp evaluate` is pointed at, made ready: a release of ours, or anybody's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdp.core.arrays import UNKNOWN, Labels
from latentdp.core.documents import read_json
from latentdp.core.progress import ProgressCallback
from latentdp.core.system import file_key
from latentdp.data import radiograph
from latentdp.data.cohort import Cohort, whole_patients
from latentdp.data.labels import read_labels
from latentdp.errors import InputError, UnsupportedInstance
from latentdp.evaluation.listed_findings import with_listed
from latentdp.evaluation.mark_cover import MarkCover
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.pairing import (
    PairedRelease,
    SourceLink,
    from_csv,
    from_vault,
    read,
    some_patients,
)
from latentdp.evaluation.population import population
from latentdp.evaluation.release_under_test import (
    ReleaseOrigin,
    ReleaseUnderTest,
    UnknownMethod,
)
from latentdp.evaluation.threat_model import FileFacts
from latentdp.models.training.training_data import read_cohort
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.reports.evaluation_parts import EvaluatedRelease
from latentdp.reports.release_card import CARD, IMAGES, ReleaseCard
from latentdp.vault.vault import Vault

if TYPE_CHECKING:
    from latentdp.models.flow.flow import Flow

__all__ = ["of_another_method", "of_ours", "recipe_of"]


def of_ours(
    source: Path,
    out: Path,
    vault: Path,
    *,
    about: Path | None,
    labels: Path | None = None,
    label_map: Path | None = None,
    attacker: Path | None,
    most: int,
    practice: int,
    seed: int,
    tell: ProgressCallback,
) -> ReleaseUnderTest:
    """A release of this tool.

    Args:
        source: The folder that was privatized.
        out: The release.
        vault: Its vault.
        about: CSV with ``file`` and what is known of each input; see `pairing.COLUMNS`.
        labels: CSV of findings as `latentdp privatize` takes it; ``about`` outranks it.
        label_map: CSV from its names to those of the weights.
        attacker: Manifest of public images for the attacker to practise on, with patients.
        most: Images that are taken, at most about; whole patients, drawn at random.
        practice: Images of the attacker that are taken, at most about; 0 takes all.
        seed: Of that draw.
        tell: Progress of reading.

    Raises:
        InputError: They do not belong together.
    """
    card = ReleaseCard.find(out)
    if card is None:
        raise InputError("expected OUT to be a release of latentdp, or --pairs with another's")
    recipe = recipe_of(vault, card.recipe.digest)
    method = PresetMethod.of(recipe)
    flow, space = method.privatizer.flow, method.privatizer.label_space
    links = some_patients(from_vault(source, out, vault, about), most, seed)
    if labels is not None:
        links = with_listed(links, source, labels, label_map, space, recipe)
    linked = read(
        links,
        flow.shape,
        space,
        profile=recipe.profile,
        detailed=bool(card.image.detail_drawn_at),
        tell=lambda share: tell(share, "reading both folders"),
    )
    return ReleaseUnderTest(
        linked=linked,
        method=method,
        labels=_released_labels(out, linked.links, method.privatizer),
        protects_all=not card.guarantee.unprotected,
        patient=_of_patient(card, linked),
        files=facts(linked.links, source, out / IMAGES),
        known=None if attacker is None else _others(attacker, flow, practice, seed),
        origin=_origin(source, out, vault, card, flow.sha256),
        cover=(
            MarkCover.of(linked.cohort.images, method.privatizer.size)
            if recipe.profile.mark
            else None
        ),
    )


def of_another_method(
    source: Path,
    out: Path,
    pairs: Path,
    *,
    size: int,
    claimed: Guarantee | None,
    most: int,
    seed: int,
    tell: ProgressCallback,
) -> ReleaseUnderTest:
    """A release of any other method: folders, and a CSV that says which belongs to which."""
    links = some_patients(from_csv(pairs, source, out), most, seed)
    linked = read(links, (size, size), tell=lambda share: tell(share, "reading both folders"))
    return ReleaseUnderTest(
        linked=linked,
        method=UnknownMethod(claimed),
        labels=np.full(len(linked.cohort), UNKNOWN, dtype=np.int64),
        protects_all=claimed is not None,
        patient=None if claimed is None else claimed.for_patient(_most_images(linked)),
        files=facts(linked.links, source, out),
    )


def _of_patient(card: ReleaseCard, linked: PairedRelease) -> Guarantee:
    """That of the card; where more images are known to be of one patient, of as many."""
    stated, image = card.guarantee.patient, card.guarantee.image
    whole = Guarantee(epsilon=stated.value, delta=stated.delta, unit=Unit.PATIENT)
    joined = Guarantee(epsilon=image.value, delta=image.delta).for_patient(_most_images(linked))
    return max(whole, joined, key=lambda guarantee: guarantee.epsilon)


def _most_images(linked: PairedRelease) -> int:
    """Of one patient."""
    return int(np.unique(linked.cohort.patients, return_counts=True)[1].max())


def recipe_of(vault: Path, digest: str) -> Recipe:
    """The recipe of a release, from the reports in its vault.

    Raises:
        InputError: None of them has the digest that the release card states.
    """
    for path in sorted((vault / "reports").glob("*.toml"), reverse=True):
        try:
            recipe = Recipe.from_toml(path.read_text(encoding="utf-8"))
        except InputError:
            continue
        if recipe.digest == digest:
            return recipe
    raise InputError(
        "expected the vault of this release; none of its recipes has the digest on the card: name "
        "the one that was given to latentdp privatize with --vault"
    )


def _origin(
    source: Path, out: Path, vault: Path, card: ReleaseCard, weights: str
) -> ReleaseOrigin:
    """What the evaluation of a release is bound to, and the key that signs it."""
    keys = Vault(vault, read_only=True)
    values = read_json(out / CARD, "a release card")
    values.pop("evaluation", None)  # which this evaluation will write there
    text = json.dumps(values, sort_keys=True, separators=(",", ":"))
    return ReleaseOrigin(
        release=EvaluatedRelease(
            release=card.release,
            card_sha256=hashlib.sha256(text.encode()).hexdigest(),
            weights_sha256=weights,
            vault=keys.tag,
        ),
        population=population(source, vault, keys),
        keys=keys,
    )


def facts(links: Sequence[SourceLink], source: Path, out: Path) -> FileFacts:
    """What can be told of the files without looking at a pixel."""
    return FileFacts(
        original=_facts([link.original for link in links], source),
        private=_facts([link.private for link in links], out),
    )


def _facts(paths: Sequence[Path], base: Path) -> dict[str, tuple[str | float, ...]]:
    base = base if base.is_dir() else base.parent
    listed = {path: i for i, path in enumerate(sorted(paths))}
    stats = [path.stat() for path in paths]
    values: dict[str, tuple[str | float, ...]] = {
        "name": tuple(path.relative_to(base).as_posix() for path in paths),
        "order": tuple(float(listed[path]) for path in paths),
        "size": tuple(float(s.st_size) for s in stats),
        "time": tuple(float(s.st_mtime) for s in stats),
    }
    headers = [_header(path) for path in paths]
    for place in sorted({place for header in headers for place in header}):
        values[f"header:{place}"] = tuple(header.get(place, "") for header in headers)
    return values


def _header(path: Path) -> dict[str, str]:
    try:
        return {place: value for place, value in radiograph.elements(path) if ">" not in place}
    except UnsupportedInstance:
        return {}


def _others(data: Path, flow: Flow, most: int, seed: int) -> Cohort:
    cohort = read_cohort(data, "train", flow)
    return cohort.take(whole_patients(cohort.patients, most or len(cohort), seed))


def _released_labels(out: Path, links: Sequence[SourceLink], privatizer: Privatizer) -> Labels:
    """From ``labels.csv`` of the release, if it releases labels."""
    table, space = out / "labels.csv", privatizer.label_space
    released = space.only(privatizer.recipe.release_findings)
    named = read_labels(table, released) if table.is_file() else {}
    labels = {name: released.label_in(space, label) for name, label in named.items()}
    names = [file_key(str(link.private.relative_to(out / IMAGES))) for link in links]
    return np.array([labels.get(name, UNKNOWN) for name in names], dtype=np.int64)
