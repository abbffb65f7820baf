"""What weights carry beside their network: public directions and a critic, where data allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from latentdp.data.dataset import Dataset
from latentdp.models.checkpoints import Checkpoint
from latentdp.models.directions.encode import encode, with_directions
from latentdp.models.directions.finding import DirectionConfig
from latentdp.models.directions.probe_table import public_directions
from latentdp.models.flow.critic import with_critic
from latentdp.models.flow.flow import Flow
from latentdp.models.training.critic import train_critic

__all__ = ["with_add_ons"]


def with_add_ons(
    checkpoint: Checkpoint,
    flow: Flow,
    splits: Mapping[str, Dataset],
    *,
    seed: int = 0,
    sources: Sequence[str] = (),
    tell: Callable[[float, str], None] = lambda share, words: None,
) -> Checkpoint:
    """The weights with new directions and a new critic, or without what too few images allow.

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
    critic = train_critic(
        flow,
        splits["train"],
        splits["val"],
        seed=seed,
        sources=sources,
        tell=lambda share, words: tell(0.5 + 0.5 * share, words),
    )
    return checkpoint if critic is None else with_critic(checkpoint, *critic)
