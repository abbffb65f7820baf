"""A recipe: all that determines a release, as one frozen record with a digest.

Two releases with the same recipe digest were made the same way; the same input under the same
recipe is one release, served once and charged once.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import tomli_w

from latentdp.core.documents import from_json
from latentdp.core.plugins import check
from latentdp.data.dicom.profile import BASIC, Profile
from latentdp.errors import InputError
from latentdp.privacy.patient_budget import PatientBudget
from latentdp.privacy.randomized_response import LabelRelease, Unlabelled
from latentdp.privacy.units import LARGEST
from latentdp.recipe.presets import ALL, PRESETS

__all__ = ["Recipe", "check_candidates"]

MOST_CANDIDATES = 64


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that determines a release besides the input and the random bits.

    Attributes:
        preset: The name it started from, for the record.
        weights: Name or path of the flow's weights.
        weights_sha256: Digest of the weights file; empty until they are loaded.
        epsilon: Budget of the whole image in nats, the label's share included.
        mechanism: Name of the mechanism on the latent.
        directions: Number of public directions of the latent that the mechanism is spent on;
            the rest is resampled from the prior. `ALL` for the full latent.
        clip: Clip of the mechanism; None for its default.
        keep_label_dims: Public directions passed on unprotected, those that say most about
            the label on public data.
        resample_identity: Public directions of identity that are resampled, at most, while **all
            else is passed on unprotected**, but for `keep_layout`; 0 for no such release.
            Nothing is noised then.
        keep_layout: Where identity is resampled: of all else only so many directions, those
            apart from identity in which the layout of the picture moves most, are **passed on
            unprotected**, beside `keep_label_dims`; the rest is resampled, too. None for all
            else.
        label: ``none``, ``public`` (released exactly, unprotected) or ``response``.
        label_share: Share of epsilon that randomised response may spend.
        unlabelled: Where the label is released by response, what becomes of an input without one:
            ``random`` answers with a class by chance; ``unknown`` releases none, by which it tells
            that there was none.
        temperature: Standard deviation of resampled dimensions; below 1 images are smoother.
        candidates: Images that are drawn for each release, of which the critic of the weights
            chooses one; without a critic, or with nothing to draw, there is only one.
        profile: What DICOM headers retain, and the form of the pixels.
        epsilon_per_patient: Most that all releases of a patient may cost, in nats; None for no
            bound. It and the next say which images are released, and not how one is made: they
            are no part of the digests.
        images_per_patient: Most releases of a patient; None for no bound.
        refuse_odd: Keep back what is unlike the images that the weights learnt from; likewise no
            part of the digests.
        release_findings: Where labels say several attributes, those that are released, in equal
            shares of the label's budget; of all others nothing is used. Empty until the weights
            are known, and where their labels are classes.
    """

    preset: str = "balanced"
    weights: str = "cxr-adult"
    weights_sha256: str = ""
    epsilon: float
    mechanism: str = "laplace"
    directions: int
    clip: float | None = None
    keep_label_dims: int = 0
    resample_identity: int = 0
    keep_layout: int | None = None
    label: str = LabelRelease.NONE
    label_share: float = 0.25
    unlabelled: str = Unlabelled.RANDOM
    temperature: float = 1.0
    candidates: int = 1
    profile: Profile = BASIC
    epsilon_per_patient: float | None = None
    images_per_patient: int | None = None
    refuse_odd: bool = False
    release_findings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("epsilon", "label_share", "temperature", "clip", "epsilon_per_patient"):
            # 8 and 8.0 are one recipe
            if isinstance(getattr(self, name), int):
                object.__setattr__(self, name, float(getattr(self, name)))
        if self.preset not in PRESETS:
            raise InputError(f"no preset {self.preset!r}; there are: {', '.join(PRESETS)}")
        if not 1e-6 <= self.epsilon <= LARGEST:
            raise InputError(
                f"expected a finite epsilon from 1e-06 to {LARGEST:g}, got {self.epsilon}"
            )
        check("mechanisms", self.mechanism)
        for name in ("directions", "keep_label_dims", "resample_identity"):
            if type(getattr(self, name)) is not int:
                raise InputError(f"expected {name} to be an integer, got {getattr(self, name)!r}")
        if self.directions < ALL:
            raise InputError(f"expected at least 0 directions, got {self.directions}")
        if self.clip is not None and not 1e-6 <= self.clip <= 1e9:
            raise InputError(f"expected a clip from 1e-06 to 1e+09, got {self.clip}")
        if self.keep_label_dims < 0:
            raise InputError(f"expected at least 0 kept dimensions, got {self.keep_label_dims}")
        if self.resample_identity < 0:
            raise InputError(
                f"expected at least 0 directions of identity, got {self.resample_identity}"
            )
        if self.keep_layout is not None:
            if type(self.keep_layout) is not int or self.keep_layout < 0:
                raise InputError(
                    f"expected at least 0 directions of layout, got {self.keep_layout!r}"
                )
            if not self.resample_identity:
                raise InputError(
                    "layout is kept only where identity is resampled, as in the preset 'empirical'"
                )
        if self.resample_identity and self.directions:
            raise InputError("where all but identity is kept no direction is left to be noised")
        if self.label not in list(LabelRelease):
            raise InputError(
                f"expected the label release to be one of {', '.join(LabelRelease)}, "
                f"got {self.label!r}"
            )
        if self.unlabelled not in (Unlabelled.RANDOM, Unlabelled.UNKNOWN):
            raise InputError("expected what has no label to be released as random or unknown")
        names = self.release_findings
        if len({*names}) < len(names) or not all(isinstance(n, str) and n for n in names):
            raise InputError("expected names of released findings that differ")
        if not 0 <= self.label_share <= 1:
            raise InputError(f"expected a label share in [0, 1], got {self.label_share}")
        check_candidates(self.candidates)
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise InputError(f"expected a positive temperature, got {self.temperature}")
        _ = self.patient_budget

    @classmethod
    def from_preset(cls, preset: str, **changes: Any) -> Recipe:
        """The recipe of a preset; a change of None is no change.

        Raises:
            InputError: Unknown preset or field, or a value out of its range.
        """
        if preset not in PRESETS:
            raise InputError(f"no preset {preset!r}; there are: {', '.join(PRESETS)}")
        given = {name: value for name, value in changes.items() if value is not None}
        _refuse_unknown(given, cls, "a recipe")
        values: dict[str, Any] = {**PRESETS[preset].values, **given}
        return cls(preset=preset, **values)

    @property
    def patient_budget(self) -> PatientBudget:
        """Most that all releases of one patient may be."""
        return PatientBudget(epsilon=self.epsilon_per_patient, images=self.images_per_patient)

    @property
    def label_budget(self) -> float:
        """Epsilon that randomised response may spend: all, where no direction is noised."""
        return self.epsilon * (self.label_share if self.directions else 1.0)

    @property
    def told_of_label(self) -> tuple[str, ...]:
        """What is released exactly of a label that is not."""
        tells = self.label == LabelRelease.RESPONSE and self.unlabelled == Unlabelled.UNKNOWN
        return ("whether there is a label",) if tells else ()

    @property
    def unprotected(self) -> tuple[str, ...]:
        """What of an input, besides what the plan keeps, is released exactly."""
        return self.told_of_label + self.profile.unprotected

    def with_weights(self, sha256: str) -> Recipe:
        """The same, bound to one weights file."""
        return replace(self, weights_sha256=sha256)

    @property
    def digest(self) -> str:
        """SHA-256 of the record. The weights count by their content, not by their name."""
        record = self._record()
        if self.weights_sha256:
            del record["weights"]
        for option in ("detail", "all_chests", "all_frontal", "file_format", "mark"):
            if not record["profile"][option]:  # as in recipes from before there was any
                del record["profile"][option]
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    @property
    def pixels_digest(self) -> str:
        """SHA-256 of what determines a release's pixels as the flow makes them.

        All but preset and profile: whatever makes those pixels larger follows them alone.
        """
        record = self._record()
        for name in ("preset", "profile", *(["weights"] if self.weights_sha256 else [])):
            del record[name]
        return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()

    def _record(self) -> dict[str, Any]:
        record = asdict(self)
        for name in ("epsilon_per_patient", "images_per_patient", "refuse_odd"):
            del record[name]
        if self.candidates == 1:  # as in recipes from before there were more
            del record["candidates"]
        if self.resample_identity == 0:  # as before there were any
            del record["resample_identity"]
        if self.keep_layout is None:  # likewise
            del record["keep_layout"]
        if self.unlabelled == Unlabelled.RANDOM:  # as before it could be chosen
            del record["unlabelled"]
        if not self.release_findings:  # as where labels are classes
            del record["release_findings"]
        return record

    def to_toml(self) -> str:
        """As TOML, one line a field, the profile as a table; None is left out.

        A path may hold bytes that are no text, which TOML cannot: they are replaced, as nothing
        but the weights' digest counts.
        """
        record = asdict(self)
        record["weights"] = self.weights.encode(errors="replace").decode()
        tables = (record, record["profile"])
        for table in tables:
            for name in [name for name, value in table.items() if value is None]:
                del table[name]
        return tomli_w.dumps(record)

    @classmethod
    def from_toml(cls, text: str) -> Recipe:
        """The inverse of `to_toml`.

        Raises:
            InputError: Not TOML, an unknown or missing field, or a value of another type or out
                of its range.
        """
        try:
            return cls.from_record(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise InputError(f"not a recipe: {error}") from error

    @classmethod
    def from_record(cls, record: Mapping[str, object]) -> Recipe:
        """The inverse of `dataclasses.asdict`.

        Raises:
            InputError: An unknown or missing field, or a value of another type or out of its
                range.
        """
        _refuse_unknown(record, cls, "a recipe")
        profile = record.get("profile")
        if isinstance(profile, Mapping):
            _refuse_unknown(profile, Profile, "the profile of a recipe")
        return from_json(record, cls, "the recipe")


def check_candidates(candidates: int) -> None:
    """Refuses a number of candidates that there cannot be.

    Raises:
        InputError: It is no whole number, or out of its range.
    """
    if type(candidates) is not int or not 1 <= candidates <= MOST_CANDIDATES:
        raise InputError(f"expected 1 to {MOST_CANDIDATES} candidates, got {candidates!r}")


def _refuse_unknown(record: Mapping[str, object], kind: type, what: str) -> None:
    unknown = set(record) - {field.name for field in fields(kind)}
    if unknown:
        raise InputError(f"{what} has no {min(unknown)!r}")
