"""Gives the detail flows of weights the shifts of today, and the temperature that fits.

    python weights/shift_detail.py NAME|FILE --data DATA --out FILE

For weights from before there were shifts (`latentdp.models.super_resolution.detail_flow`); the
networks and their likelihoods stay as they are.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from latentdp.data.dataset import read_dataset
from latentdp.models.checkpoints import load, save
from latentdp.models.device import use_threads
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.wavelet_flow import assess, temperature
from latentdp.models.super_resolution.detail_flow import SHIFTS


def main() -> None:
    """Finds the temperatures, and writes weights with them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights")
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    use_threads(1)
    checkpoint = load(options.weights)
    cards = dict(checkpoint.card.octaves or {})
    for size, flow in load_flow(checkpoint).cascade.by_size.items():
        card = cards[str(size)]
        splits = {
            split: read_dataset(
                options.data, split, size=size, sources=card.sources or (), enlarge=False
            ).pixels
            for split in ("val", "test")
        }
        shifted = replace(flow, shifts=SHIFTS)
        warmth = temperature(shifted, splits["val"])
        measured = assess(replace(shifted, temperature=warmth), splits)
        cards[str(size)] = structs.replace(
            card,
            temperature=warmth,
            shifts=SHIFTS,
            decibels_by_octave=measured.decibels_by_octave,
        )
        print(f"{size} pixels: temperature {flow.temperature:g}, now {warmth:g}", flush=True)
    described = structs.replace(checkpoint.card, octaves=cards)
    save(replace(checkpoint, card=described, sha256=""), options.out)


if __name__ == "__main__":
    main()
