"""What takes a while to learn, and several tests use."""

import csv

import numpy as np
import pytest
from PIL import Image

from latentdp.models.super_resolution.detail_flow import DetailFlow
from tests.support.detail_flows import trainer

PATIENTS = {"train": 40, "val": 12, "test": 12}
SHOWN = ("No Finding", "Effusion", "Mass;Effusion", "Mass")


@pytest.fixture(scope="session")
def octave(tmp_path_factory) -> DetailFlow:
    """One that was trained for a few steps."""
    state = tmp_path_factory.mktemp("octave") / "x.state"
    made = trainer(state, steps=60)
    made.run(lambda _: None)
    return DetailFlow(made.average, 0.8)


@pytest.fixture(scope="session")
def chests(tmp_path_factory):
    """Two images of each patient, whose findings are bright patches; two are children's."""
    rng, base = np.random.default_rng(3), tmp_path_factory.mktemp("public")
    rows = []
    for split, people in PATIENTS.items():
        for patient in range(people):
            person, labels = rng.random((4, 4)), SHOWN[patient % 4]
            for view in ("AP", "PA"):
                image = 0.6 * person.repeat(4, axis=0).repeat(4, axis=1)
                image[2:7] += 0.3 * ("Effusion" in labels)
                image[:, 9:14] += 0.3 * ("Mass" in labels)
                name = f"{split}-{patient}-{view}.png"
                noisy = np.clip(image + 0.03 * rng.normal(size=image.shape), 0, 1)
                Image.fromarray((255 * noisy).astype(np.uint8)).save(base / name)
                rows.append(
                    {
                        "file": name,
                        "split": split,
                        "source": "clinic",
                        "patient_id": f"{split}{patient}",
                        "labels": labels,
                        "view": view,
                        "age": 8 if patient == 9 else 30 + patient,
                    }
                )
    with (base / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return base
