"""What weights carry beside their network: directions, population and critic, where data allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from latentdp.data.dataset import Dataset
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.directions.encode import encode, with_directions
from latentdp.models.directions.finding import DirectionConfig
from latentdp.models.directions.probe_table import public_directions
from latentdp.models.flow.critic import with_critic
from latentdp.models.flow.flow import Flow
from latentdp.models.flow.population import Population, with_population, without_population
from latentdp.models.training.critic import train_critic

__all__ = ["with_add_ons", "with_population_and_critic"]


def with_add_ons(
    checkpoint: Checkpoint,
    flow: Flow,
    splits: Mapping[str, Dataset],
    *,
    seed: int = 0,
    sources: Sequence[str] = (),
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> Checkpoint:
    """The weights with new directions, population and critic, or without what data do not allow.

    Args:
        checkpoint: The weights of ``flow``.
        flow: The flow as it will be used: rounded, from its file.
        splits: ``train``, ``val`` and perhaps ``test``.
        seed: Seed of the critic.
        sources: Those that the images are of, if not all of the weights, for the critic's card.
        tell: Progress.
    """
    tell(0.0, "computing directions")
    directions = public_directions(
        {name: encode(flow, data) for name, data in splits.items()},
        DirectionConfig(),
        flow.levels[0],
    )
    if directions is not None:
        checkpoint = with_directions(checkpoint, *directions)
    return with_population_and_critic(
        checkpoint,
        flow,
        splits,
        seed=seed,
        sources=sources,
        tell=lambda share, words: tell(0.5 + 0.5 * share, words),
    )


def with_population_and_critic(
    checkpoint: Checkpoint,
    flow: Flow,
    splits: Mapping[str, Dataset],
    *,
    seed: int = 0,
    sources: Sequence[str] = (),
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> Checkpoint:
    """The weights with what releases draw of open attributes, and a critic of such images.

    A flow that knows classes has no population, and neither has one whose card does not say that
    its images are public: a combination of findings, sex and age may be one patient's own.

    Args:
        checkpoint: The weights of ``flow``.
        flow: The flow as it will be used: rounded, from its file.
        splits: ``train`` and ``val``.
        seed: Seed of the critic.
        sources: Those that the images are of, if not all of the weights, for the card.
        tell: Progress.
    """
    population, labels = None, splits["train"].labels
    checkpoint = without_population(checkpoint)
    if flow.attributes and len(labels) and checkpoint.card.private_training is False:
        population = Population.of(flow.attributes, labels)
        checkpoint = with_population(checkpoint, population, sources)
    critic = train_critic(
        flow,
        splits["train"],
        splits["val"],
        seed=seed,
        sources=sources,
        population=population,
        tell=tell,
    )
    return checkpoint if critic is None else with_critic(checkpoint, *critic)
