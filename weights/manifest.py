"""Rewrites ``manifest.toml`` and the model cards (``*.md``) from the weights files beside it.

    python weights/manifest.py
    python weights/manifest.py --looked-at cxr-adult "what was seen on the sample grid"
    python weights/manifest.py --likelihood cxr-adult DATA   (measures it on DATA's splits again)

Everything in them comes from the files' own metadata, so a card cannot drift from its weights.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from latentdp._weights.flow_card import flow_card
from latentdp._weights.verifier_card import verifier_card

from latentdp.models.checkpoints import load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import LikelihoodCard
from latentdp.models.model_card.flow import usual_likelihood
from latentdp.models.training.training_data import as_trained

HERE = Path(__file__).parent


def main() -> None:
    """Writes the manifest and one card per weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looked-at", nargs=2, metavar=("NAME", "TEXT"))
    parser.add_argument("--likelihood", nargs=2, metavar=("NAME", "DATA"))
    arguments = parser.parse_args()
    if arguments.looked_at:
        name, text = arguments.looked_at
        _add(name, ModelCard(looked_at=text))
    if arguments.likelihood:
        name, data = arguments.likelihood
        measured = _likelihood(HERE / f"{name}.safetensors", Path(data))
        _add(name, ModelCard(likelihood=measured))
    entries = []
    for path in sorted(HERE.glob("*.safetensors")):
        checkpoint = load(str(path))
        size = path.stat().st_size
        summary = str(checkpoint.card.summary)
        octaves = sorted(map(int, checkpoint.card.octaves or ()))
        if octaves:
            summary += f"; detail up to {octaves[-1]} pixels"
        entries.append(
            f"[{path.stem}]\n"
            f"file = {json.dumps(path.name)}\n"
            f'sha256 = "{checkpoint.sha256}"\n'
            f"bytes = {size}\n"
            f"kind = {json.dumps(checkpoint.kind)}\n"
            f"size = {json.loads(checkpoint.config)['size']}\n"
            f"summary = {json.dumps(summary)}\n"
        )
        card = verifier_card if checkpoint.kind == "embedding" else flow_card
        path.with_suffix(".md").write_text(
            card(path.stem, size, checkpoint.sha256, checkpoint.card), encoding="utf-8"
        )
    header = "# Made by weights/manifest.py. Loading verifies the digest.\n\n"
    (HERE / "manifest.toml").write_text(header + "\n".join(entries), encoding="utf-8")


def _add(name: str, entries: ModelCard) -> None:
    """Writes entries on a weights file's card; its tensors stay as they are."""
    path = HERE / f"{name}.safetensors"
    checkpoint = load(str(path))
    save(replace(checkpoint, card=checkpoint.card.with_entries(entries)), path)


def _likelihood(path: Path, data: Path) -> LikelihoodCard:
    checkpoint = load(str(path))
    flow, card = load_flow(checkpoint), checkpoint.card
    held_out = {
        split: as_trained(flow, data, split) for split in card.images or () if split != "train"
    }
    return usual_likelihood(flow, held_out)


if __name__ == "__main__":
    main()
