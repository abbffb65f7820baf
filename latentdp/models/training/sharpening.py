"""Training weights on against networks that know their samples: what begins it, what it leaves."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from msgspec import structs

from latentdp.data.dataset import Dataset
from latentdp.errors import InputError
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.flow.checkpoint import DIRECTIONS, IDENTITY
from latentdp.models.flow.chest_attributes import attribute_values, finding_columns
from latentdp.models.flow.critic import CRITIC, NETWORKS
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.glow import GlowConfig
from latentdp.models.networks.finding_classifier import FindingClassifier
from latentdp.models.training.attributes import AttributeGlowTraining, AttributeGlowTrainingConfig
from latentdp.models.training.critic import train_critic
from latentdp.models.training.discriminators import DiscriminatorConfig, Discriminators
from latentdp.models.training.glow import GlowTraining
from latentdp.models.training.loop import check_limits
from latentdp.models.training.sampling_odds import sampling_odds

__all__ = ["SharpeningConfig", "sharpened", "sharpening"]

UNTOLD = 0.3  # share of images without a label: most releases draw without one
OF_THE_NETWORK = (DIRECTIONS, IDENTITY)  # names of tensors that other weights make stale


@dataclass(frozen=True, kw_only=True)
class SharpeningConfig:
    """How weights are trained on. A resumed run must be given the same.

    Attributes:
        minutes: Length of the run; 0 for no limit.
        steps: Optimiser steps; 0 for no limit.
        batch: Images a step, and as many samples.
        learning_rate: Adam's peak rate, of the flow.
        discriminators: How they learn, and what they weigh.
        seed: Of the run.
        private_data: Whether the images are private.
    """

    minutes: float = 0.0
    steps: int = 0
    batch: int = 16
    learning_rate: float = 7e-5
    discriminators: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    seed: int = 0
    private_data: bool = False


def sharpening(
    begun: Checkpoint,
    train: Dataset,
    val: Dataset,
    state: Path,
    settings: SharpeningConfig,
    *,
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> GlowTraining:
    """A run that trains weights on.

    Args:
        begun: The weights. Discriminators begin as their critic's networks, or as those of one
            that is taught first.
        train: Public images, with labels that the weights know (`as_trained` reads them).
        val: Others.
        state: Where the run is kept so that it can go on after an interruption.
        settings: How.
        tell: Progress, where a critic must be taught.

    Raises:
        InputError: Too few images, impossible settings, or a state of another run.
    """
    config = GlowConfig.from_json(begun.config)
    glow_settings = AttributeGlowTrainingConfig(
        minutes=settings.minutes,
        steps=settings.steps,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        momentum=0.5,
        ema=0.999,
        label_dropout=UNTOLD,
        seed=settings.seed,
    )
    check_limits(settings.minutes, settings.steps)  # before a critic is taught
    networks = _networks(load_flow(begun), train, val, settings.seed, tell)
    judges = Discriminators(networks, settings.discriminators)
    limitless = replace(settings, minutes=0.0, steps=0)  # a run may be made longer
    only = f" against {limitless} on {_digest(train)}"
    if not config.attributes:
        return GlowTraining(
            config, glow_settings, train, val, state, begun, discriminators=judges, only=only
        )
    values = attribute_values(train, config.attributes)[:, finding_columns(config.attributes)]
    run = AttributeGlowTraining(
        config,
        glow_settings,
        train,
        val,
        state,
        odds=sampling_odds(train, values, {}),
        start=begun,
        discriminators=judges,
        only=only,
    )
    run.clock = time.monotonic  # minutes are of the clock, whatever the weights know
    return run


def sharpened(begun: Checkpoint, trained: Checkpoint) -> Checkpoint:
    """The trained network, under its card, with the detail of the weights that it began as.

    Without directions and critic, which were of the other network, and what was measured on it.
    """
    kept = {
        name: tensor
        for name, tensor in begun.tensors.items()
        if name not in OF_THE_NETWORK and not name.startswith(CRITIC + ".")
    }
    stale = ("laws", "samples", "checked", "looked_at", "directions", "critic", "likelihood")
    card = structs.replace(trained.card, **dict.fromkeys(stale))
    return replace(trained, tensors=kept | dict(trained.tensors), card=card, sha256="")


def _digest(data: Dataset) -> str:
    """Of its pictures: the state of a run on others is another run's."""
    return hashlib.sha256(np.ascontiguousarray(data.pixels).tobytes()).hexdigest()


def _networks(
    flow: Flow, train: Dataset, val: Dataset, seed: int, tell: Callable[[float, str], None]
) -> Sequence[FindingClassifier]:
    """Those of a critic that tells samples from originals."""
    if flow.critic is not None and len(flow.critic.networks) == len(NETWORKS):
        return flow.critic.networks
    taught = train_critic(flow, train, val, seed=seed, tell=tell)
    if taught is None:
        raise InputError("too few images: nothing to tell samples from")
    return taught[0].networks
