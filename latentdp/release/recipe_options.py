"""What a user says of a recipe before its weights are known, and the privatizer that it gives."""

from __future__ import annotations

from dataclasses import dataclass, replace

from latentdp.data.dicom.profile import SYNTAXES, Profile
from latentdp.errors import InputError
from latentdp.privacy.patient_budget import split
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.privatizer import Privatizer
from latentdp.recipe import ALL, Recipe

__all__ = ["USUAL_SIZE", "RecipeOptions"]

USUAL_SIZE = 128  # pixels on a side of an output, where the weights have detail for it


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """The options of ``latentdp privatize`` and ``explain`` that make up a recipe.

    Attributes:
        preset: Name of a preset, which has a default for what is None here.
        weights: Name of shipped weights, or path of a file.
        epsilon: Budget of the whole image in nats.
        epsilon_per_patient: Budget of a patient in nats, for all their images, those released
            earlier from the same vault included (`latentdp.privacy.patient_budget`).
        images_per_patient: Most images of a patient; others are left out.
        epsilon_per_element: Budget of each latent element that is noised, instead.
        mechanism: Name of the mechanism on the latent.
        label_release: ``none``, ``public`` (released exactly, **unprotected**) or ``response``
            (randomised); only where labels are given.
        release_findings: Attributes of the label that are released, separated by commas, where
            the weights know several; empty for a few by default
            (`latentdp.privatizer.released_attributes`).
        keep_label_dims: Public directions that are passed on, **unprotected**.
        resample_identity: Directions of identity that are resampled at most, while all else is
            passed on, **unprotected**; or, of all else, `keep_layout`.
        keep_layout: Directions of the picture's layout that are passed on, **unprotected**,
            where identity is resampled, while all else is resampled, too.
        candidates: Images drawn for each release, of which a public critic chooses one.
        shift_dates: Keep dates of headers, **unprotected**, moved back by a secret number of days.
        retain_characteristics: Keep sex, and age up to 90, **unprotected**.
        retain_device: Keep known makers and product lines of devices, **unprotected**.
        accept_burned_in: A person looked at the pixels of all inputs and found no text that
            identifies.
        all_chests: A person says that every input shows a chest, whatever unknown term names it.
        all_frontal: A person says that every input is a frontal view.
        refuse_odd: Keep back what is unlike the images that the weights learnt from.
        size: Pixels on a side of an output; None for `USUAL_SIZE` where the weights have detail
            for that, else what they make.
        detail: Draw the detail of what is larger than the weights make; else enlarge smoothly.
        transfer_syntax: Of DICOM outputs; one of ``explicit``, ``jpeg-ls``, ``jpeg-2000``.
        file_format: Of outputs: ``dicom``, ``png`` or ``npz``; None for DICOM where the input is
            that, and PNG where it is a picture.
        mark: Write SYNTHETIC into a corner of each output.
        exact: Compute networks in float32 even where bfloat16 is faster.
    """

    preset: str = "balanced"
    weights: str = "cxr-adult"
    epsilon: float | None = None
    epsilon_per_patient: float | None = None
    images_per_patient: int | None = None
    epsilon_per_element: float | None = None
    mechanism: str | None = None
    label_release: str | None = None
    release_findings: str = ""
    keep_label_dims: int | None = None
    resample_identity: int | None = None
    keep_layout: int | None = None
    candidates: int | None = None
    shift_dates: bool = False
    retain_characteristics: bool = False
    retain_device: bool = False
    accept_burned_in: bool = False
    all_chests: bool = False
    all_frontal: bool = False
    refuse_odd: bool = False
    size: int | None = None
    detail: bool = True
    transfer_syntax: str = SYNTAXES[0]
    file_format: str | None = None
    mark: bool = True
    exact: bool = False

    def recipe(self, *, labelled: bool, unlabelled: Unlabelled = Unlabelled.REFUSE) -> Recipe:
        """What can be said without weights: `load` adds what depends on them.

        Args:
            labelled: Whether labels are given; without them none is used or released.
            unlabelled: What becomes of an input without one.

        Raises:
            InputError: Options that contradict each other, or a value out of its range.
        """
        if not labelled and self.label_release not in (None, "none"):
            raise InputError("--label-release needs --labels")
        released = tuple(filter(None, map(str.strip, self.release_findings.split(","))))
        if self.release_findings and not released:  # else a few by default would be
            raise InputError("expected --release-findings to name one at least, got none")
        if released and (not labelled or self.label_release == "none"):
            raise InputError("--release-findings needs --labels, and labels that are released")
        profile = Profile(
            shift_dates=self.shift_dates,
            retain_characteristics=self.retain_characteristics,
            retain_device=self.retain_device,
            accept_burned_in=self.accept_burned_in,
            all_chests=self.all_chests,
            all_frontal=self.all_frontal,
            size=self.size,
            transfer_syntax=self.transfer_syntax,
            file_format=self.file_format or "",
            mark=self.mark,
        )
        recipe = Recipe.from_preset(
            self.preset,
            epsilon=self.epsilon,
            mechanism=self.mechanism,
            weights=self.weights,
            label=self.label_release if labelled else "none",
            release_findings=released,
            keep_label_dims=self.keep_label_dims,
            resample_identity=self.resample_identity,
            keep_layout=self.keep_layout,
            candidates=self.candidates,
            refuse_odd=self.refuse_odd,
            profile=profile,
            unlabelled=str(Unlabelled.UNKNOWN) if unlabelled is Unlabelled.UNKNOWN else None,
        )
        if self.mechanism is not None and recipe.directions == 0:
            raise InputError(
                f"the preset {self.preset!r} noises no latent dimension; leave --mechanism out"
            )
        if self.epsilon_per_element is not None:
            if self.epsilon is not None:
                raise InputError("give --epsilon or --epsilon-per-element, not both")
            if recipe.label == "response" or recipe.directions == 0:
                raise InputError(
                    "--epsilon-per-element needs a preset that noises latent elements, and a "
                    "label that is not released by response"
                )
        return self._of_patients(recipe)

    def _of_patients(self, recipe: Recipe) -> Recipe:
        """With what a patient may spend, and an image's share of it."""
        whole, images = self.epsilon_per_patient, self.images_per_patient
        if whole is None:
            return replace(recipe, images_per_patient=images)
        if self.epsilon_per_element is not None:
            raise InputError("give --epsilon-per-patient or --epsilon-per-element, not both")
        share = split(whole, images, epsilon=self.epsilon, usual=recipe.epsilon)
        return replace(
            recipe,
            epsilon=share.epsilon,
            epsilon_per_patient=whole,
            images_per_patient=share.images,
        )

    def load(self, *, labelled: bool, unlabelled: Unlabelled = Unlabelled.REFUSE) -> Privatizer:
        """Loads the weights and completes the recipe.

        Args:
            labelled: Whether labels are given.
            unlabelled: What becomes of an input without a label.

        Raises:
            InputError: As `recipe`, or the weights cannot do what is asked.
            WeightsError: The weights are refused.

        Warns:
            WeightsWarning: Something speaks against the weights.
        """
        from latentdp.models.flow.caveats import warn
        from latentdp.models.flow.flow import load_flow

        recipe = self.recipe(labelled=labelled, unlabelled=unlabelled)
        flow = load_flow(recipe.weights, exact=self.exact)
        if recipe.refuse_odd and flow.likelihood_range is None:
            raise InputError(
                "expected weights whose card states a usual range of likelihood, which "
                "--refuse-odd goes by; these state none: leave it out"
            )
        if self.epsilon_per_element is not None:
            elements = recipe.directions
            if elements == ALL:
                elements = flow.d - recipe.keep_label_dims
            recipe = replace(recipe, epsilon=self.epsilon_per_element * elements)
        steps = flow.cascade.steps(flow.shape[0], self.size or USUAL_SIZE) if self.detail else ()
        if steps:
            size = self.size or min(steps[-1], USUAL_SIZE)
            recipe = replace(recipe, profile=replace(recipe.profile, size=size, detail=True))
        privatizer = Privatizer(flow, recipe)
        warn(flow.caveats, between=4)
        return privatizer
