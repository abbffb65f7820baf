"""A small made-up world: people with patterns, a flow and a verifier that know such patterns."""

import csv
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from latentdp._cli import main
from PIL import Image

from latentdp.models.checkpoints import save
from latentdp.models.model_card.card import ModelCard
from latentdp.models.networks.embedding import EmbeddingConfig, EmbeddingNet
from latentdp.models.networks.verifier import Verifier
from latentdp.models.training.metric_learning import MetricLearning, MetricLearningConfig
from latentdp.models.training.pair_dataset import PairDataset

SIZE = 16
SPLITS = {"train": 40, "val": 6, "test": 24}
PUBLIC = 8  # patients of each split, where they stand for public ones in an example


@dataclass(frozen=True)
class World:
    """Files of the world.

    Attributes:
        data: Folder with ``manifest.csv``.
        weights: Of a small flow with public directions.
        verifier: Of a small verifier.
        rows: Of the manifest.
    """

    data: Path
    weights: Path
    verifier: Path
    rows: list[dict[str, str]]

    def of(self, split: str) -> list[dict[str, str]]:
        return [row for row in self.rows if row["split"] == split]


def picture(person: np.ndarray, finding: bool, rng: np.random.Generator) -> np.ndarray:
    """A person's pattern, with a bright patch where there is a finding, and noise."""
    image = 0.15 + 0.5 * person.repeat(4, axis=0).repeat(4, axis=1)
    image[5:11, 5:11] += 0.3 * finding
    return np.rint(np.clip(image + 0.03 * rng.normal(size=image.shape), 0, 1) * 255)


def make_world(base: Path) -> World:
    """Writes it into a folder."""
    rng = np.random.default_rng(7)
    rows, number = [], 0
    data = base / "data"
    data.mkdir(parents=True)
    for split, people in SPLITS.items():
        for p in range(people):
            person, sick = rng.random((4, 4)), p % 2 == 1
            for _ in range(2 + p % 2):
                name = f"{number:04d}.png"
                Image.fromarray(picture(person, sick, rng).astype(np.uint8)).save(data / name)
                rows.append(
                    {
                        "file": name,
                        "source": "made-up",
                        "patient_id": f"{split}-{p}",
                        "split": split,
                        "labels": "PNEUMONIA" if sick else "NORMAL",
                        "view": "PA" if p % 3 else "AP",
                        "sex": "FM"[p % 2 ^ (p % 5 == 0)],
                        "age": str(20 + 2 * p),
                    }
                )
                number += 1
    with (data / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    weights = base / "flow.safetensors"
    options = ["--size", 16, "--condition", "finding", "--steps", 60, "--blocks", "2,2"]
    options += ["--hidden", "16,16", "--threads", 1, "--json"]
    assert main([str(x) for x in ("weights", "train", data, "--out", weights, *options)]) == 0
    return World(data, weights, verifier(base / "verifier.safetensors", data, rows), rows)


def public_images(world: World, folder: Path) -> None:
    """The first of its people as if the shipped weights had been trained on them, half on each."""
    shutil.copytree(world.data, folder)
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, world.rows[0])
        writer.writeheader()
        for row in world.rows:
            number = int(row["patient_id"].split("-")[1])
            if number >= PUBLIC:
                continue
            adult = number % 4 < 2
            sick = row["labels"] != "NORMAL"
            label = ("Effusion" if adult else "viral") if sick else row["labels"]
            writer.writerow(row | {"source": "nih" if adult else "kermany", "labels": label})


def verifier(path: Path, data: Path, rows: list[dict[str, str]]) -> Path:
    known = [row for row in rows if row["split"] == "train"]
    pixels = np.stack([np.asarray(Image.open(data / row["file"])) for row in known])
    patients = np.unique([row["patient_id"] for row in known], return_inverse=True)[1]
    config = EmbeddingConfig(size=16, widths=(8, 16), blocks=(1, 1), dimensions=16)
    settings = MetricLearningConfig(patients=20, learning_rate=5e-3, warmup=5, ema=0.9, memory=0)
    learning = MetricLearning(
        EmbeddingNet(config), settings, [PairDataset.of_images(pixels, patients)], steps=40
    )
    learning.run()
    save(Verifier.of(learning.average).checkpoint("v", ModelCard(summary="tests")), path)
    return path
