"""``latentdp weights add-critic``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentdp import InputError
from latentdp.core.documents import to_json

from .._options import JsonOption
from .._render import print_json, share_progress, table
from .._training_options import (
    PrivateDataOption,
    SeedOption,
    SourceOption,
    ThreadsOption,
    TrainedOnArgument,
    marked,
    weights_file,
)

if TYPE_CHECKING:
    from latentdp.models.model_card.card_parts import CriticCard


def add_critic(
    weights: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="Weights whose samples it is to judge.")
    ],
    data: TrainedOnArgument,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Weights file to write, with it.")
    ],
    source: SourceOption = None,
    seed: SeedOption = 0,
    threads: ThreadsOption = 0,
    private_data: PrivateDataOption = False,
    json: JsonOption = False,
) -> None:
    """Teach a critic which samples look like originals, and write weights with it.

    Recipes with several candidates release one that it likes. Originals are
    those that the weights learnt from, or of --source; of weights that know
    attributes it is counted which of them these have together, and what a
    released label leaves open is drawn so; not of private data.
    """
    from latentdp.models.checkpoints import load, save
    from latentdp.models.device import use_threads
    from latentdp.models.flow.flow import load_flow
    from latentdp.models.training.add_ons import with_population_and_critic
    from latentdp.models.training.training_data import splits_as_trained

    weights_file(out)
    use_threads(threads)
    checkpoint = marked(load(weights), private_data)
    flow = load_flow(checkpoint)
    sets = splits_as_trained(flow, data, only=("train", "val"), sources=source)
    with share_progress("teaching", shown=not json) as tell:
        taught = with_population_and_critic(
            checkpoint, flow, sets, seed=seed, sources=source or (), tell=tell
        )
    critic = taught.card.critic
    if critic is None or critic is checkpoint.card.critic:
        raise InputError("too few images: nothing to learn")
    out.parent.mkdir(parents=True, exist_ok=True)
    save(taught, out)
    if json:
        print_json({"weights": str(out)} | to_json(critic))
        return
    table("critic", [("weights", str(out)), *summary(critic)])


def summary(card: CriticCard) -> list[tuple[str, str]]:
    """A card's entry ``critic`` as a short table."""
    images = card.images or {}
    return [
        ("samples told from originals", f"AUC {card.auc} on {card.images_measured} of val"),
        (
            "effective candidates",
            f"{card.effective_candidates} of {card.candidates} on average",
        ),
        ("taught on", f"{images.get('reader', 0):,} and {images.get('ratio', 0):,} originals"),
        ("sources", ", ".join(card.sources or ()) or "all of the weights"),
    ]


command = add_critic
