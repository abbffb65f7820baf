import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from latentdp import InputError, WeightsError
from latentdp.data.dataset import Dataset, read_dataset, splits
from latentdp.models.checkpoints import load
from latentdp.models.flow.flow import load_flow
from latentdp.models.flow.glow import GlowConfig
from latentdp.models.model_card.card import ModelCard
from latentdp.models.training.glow import GlowTraining, GlowTrainingConfig
from tests.support.places import ROOT

SIZE = 8


def pictures(n: int, seed: int = 0) -> np.ndarray:
    """Two kinds of simple pictures: a bright left or right half, of varying brightness."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 60, size=(n, SIZE, SIZE))
    for i, image in enumerate(images):
        image[:, : SIZE // 2] += 120 * (i % 2)
        image[:, SIZE // 2 :] += 120 * (1 - i % 2)
    return images.astype(np.uint8)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A data set as a manifest, with a patient id and the columns that conditions need."""
    base = tmp_path / "data"
    base.mkdir()
    rows = []
    for i, image in enumerate(pictures(60)):
        Image.fromarray(image).save(base / f"{i}.png")
        rows.append(
            {
                "file": f"{i}.png",
                "split": "train" if i < 40 else "val" if i < 50 else "test",
                "source": "even" if i % 2 == 0 else "odd",
                "patient_id": f"p{i // 2}",
                "labels": "No Finding" if i % 2 else "Mass;Effusion",
                "view": "pa" if i % 3 else "AP",
            }
        )
    rows[0]["view"] = ""
    with (base / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return base


def dataset(n: int = 64, seed: int = 0) -> Dataset:
    return Dataset(
        pixels=pictures(n, seed),
        labels=np.arange(n) % 2,
        classes=("a", "b"),
        patients=tuple(map(str, range(n))),
        files=tuple(map(str, range(n))),
        findings=np.arange(n) % 2,
        finding_names=("a", "b"),
        views=("",) * n,
        strata=("",) * n,
        sources=("",) * n,
        sexes=("",) * n,
        ages=(40.0,) * n,
    )


def trainer(state: Path, **changes) -> GlowTraining:
    config = GlowConfig(size=SIZE, classes=("a", "b"), steps=(2,), hidden=(8,))
    settings = GlowTrainingConfig(**({"steps": 30, "batch": 16, "shift": 1} | changes))
    return GlowTraining(config, settings, dataset(), dataset(32, 1), state)


def test_conditions_make_classes(folder):
    data = read_dataset(folder, "train", size=SIZE, conditions=("view", "finding"))
    assert data.classes == ("AP/finding", "AP/normal", "PA/finding", "PA/normal")
    assert data.labels[0] == -1, "a row that does not say its view has no class"
    assert data.classes[data.labels[1]] == "PA/normal"
    assert len(data) == 40
    assert data.pixels.dtype == np.uint8
    assert data.finding_names == ("finding", "normal"), "the view is no finding"
    assert data.strata[1] == "odd/PA"
    assert data.findings[0] == 0, "but a finding needs no view"
    only = read_dataset(folder, "train", size=SIZE, conditions=("view",))
    assert only.finding_names == ("AP", "PA"), "unless there is nothing else"
    assert only.strata[1] == "odd"
    subtype = read_dataset(folder, "val", size=SIZE, conditions=("subtype",))
    assert subtype.classes == ("effusion", "no finding")


def test_splits_and_sources_are_kept_apart(folder):
    train = read_dataset(folder, "train", size=SIZE)
    val = read_dataset(folder, "val", size=SIZE)
    assert not set(train.files) & set(val.files)
    assert train.classes == ()
    assert len(read_dataset(folder, "train", size=SIZE, sources=("odd",))) == 20
    assert splits(folder) == {"train", "val", "test"}


def test_a_folder_of_pictures_names_splits_and_classes(tmp_path):
    for split in ("train", "val"):
        for name in ("ill", "well"):
            (tmp_path / split / name).mkdir(parents=True)
            Image.fromarray(pictures(1)[0]).save(tmp_path / split / name / "x.png")
    data = read_dataset(tmp_path, "val", size=SIZE, conditions=("class",))
    assert data.classes == ("ill", "well")
    assert data.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"split": "none"}, "no images"),
        ({"conditions": ("age",)}, "unknown condition"),
        ({"sources": ("x",)}, "no images"),
    ],
)
def test_what_is_not_there_is_refused(folder, change, message):
    options = {"split": "train", "size": SIZE} | change
    with pytest.raises(InputError, match=message):
        read_dataset(folder, **options)


def test_unreadable_training_pictures_are_named(folder):
    (folder / "3.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"3\.png"):
        read_dataset(folder, "train", size=SIZE)


def test_training_learns(tmp_path):
    reports = []
    made = trainer(tmp_path / "x.state", steps=150, ema=0.9, learning_rate=5e-3)
    before = made.flow().bits_per_dimension(made.val.pixels, made.val.labels)
    made.run(reports.append, every=0.5)
    after = made.flow().bits_per_dimension(made.val.pixels, made.val.labels)
    assert after < before - 0.3
    assert reports[-1]["progress"] == 1
    assert reports[-1]["val"] == pytest.approx(after, abs=1e-3)


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path):
    whole = trainer(tmp_path / "whole.state")
    whole.run(lambda _: None)
    parts = trainer(tmp_path / "parts.state")
    parts.run(lambda _: None, stop=lambda: parts.step >= 11)
    assert parts.step == 11
    again = trainer(tmp_path / "parts.state")
    assert again.step == 11
    again.run(lambda _: None)
    assert again.step == 30
    for (name, a), b in zip(
        whole.average.state_dict().items(), again.average.state_dict().values(), strict=True
    ):
        assert torch.allclose(a, b, atol=1e-6), name


def test_a_state_of_another_network_is_refused(tmp_path):
    made = trainer(tmp_path / "x.state", steps=1)
    made.run(lambda _: None)
    config = GlowConfig(size=SIZE, classes=("a", "b"), steps=(3,), hidden=(8,))
    with pytest.raises(InputError, match="another run"):
        GlowTraining(
            config, GlowTrainingConfig(steps=1), dataset(), dataset(), tmp_path / "x.state"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 0}, "minutes or of steps"),
        ({"steps": -1}, "steps of at least 0"),
        ({"minutes": float("nan")}, "minutes of at least 0"),
        ({"batch": 0}, "batch"),
        ({"learning_rate": -1.0}, "learning rate"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        trainer(tmp_path / "x.state", **change)


def test_a_damaged_state_is_refused(tmp_path):
    (tmp_path / "x.state").write_bytes(b"damaged")
    with pytest.raises(InputError, match="damaged"):
        trainer(tmp_path / "x.state")


def arguments(folder: Path, out: Path) -> list[str]:
    return [
        "weights", "train", str(folder), "--out", str(out), "--size", str(SIZE),
        "--condition", "finding",
        "--steps", "12", "--blocks", "2", "--hidden", "8", "--batch", "8", "--note", "made up",
        "--threads", "1", "--json",
    ]  # fmt: skip


def test_the_command_trains_weights_that_load_and_privatize(command, folder, tmp_path, capsys):
    out = tmp_path / "mine" / "w.safetensors"
    assert command(*arguments(folder, out)) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["bits_per_dimension"]) == {"train", "val", "test"}
    card = load(str(out)).card
    assert card.training_data == "made up"
    assert card.training.steps == 12
    assert card.round_trip_error < 1e-4
    assert card.memorisation.sample_median > 0
    assert card.directions.count == SIZE**2 // 4
    assert load_flow(load(str(out))).directions.shape == (SIZE**2 // 4, SIZE**2)
    with Image.open(out.with_suffix(".png")) as sheet:
        assert sheet.width > sheet.height
    flow = load_flow(load(str(out)))
    assert flow.classes == ("finding", "normal")
    assert command(*arguments(folder, out)) == 0, "a finished run is finished again"


def test_directions_of_a_trained_flow_tell_the_classes(folder):
    """On pictures whose class is one half being bright, the first direction separates them."""
    from latentdp.models.directions.encode import encode
    from latentdp.models.directions.finding import DirectionConfig, Scatters

    made = trainer(folder / "x.state", steps=60, ema=0.9, label_dropout=0.5)
    made.run(lambda _: None)
    seen = encode(made.flow(), dataset())
    scatters = Scatters.of(seen.latents, seen.groups)
    assert scatters is not None
    best = seen.latents @ scatters.directions(DirectionConfig()).rows[0]
    gap = abs(best[::2].mean() - best[1::2].mean())
    assert gap > 2 * max(best[::2].std(), best[1::2].std())


@pytest.mark.slow
def test_two_processes_train_together(folder, tmp_path):
    """torchrun with gloo: both processes end, one writes, and the weights load."""
    out = tmp_path / "w.safetensors"
    run = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "-m", "latentdp._cli", *arguments(folder, out),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    assert json.loads(run.stdout)["training"]["steps"] == 12
    assert load_flow(load(str(out))).d == SIZE**2
    assert ROOT not in out.parents


@pytest.mark.parametrize("has", [False, True])
def test_half_precision_is_for_processors_that_compute_it(has, monkeypatch, tmp_path):
    """Elsewhere it is emulated, nine times slower than single precision."""
    monkeypatch.setattr("latentdp.models.training.glow.computes_bfloat16", lambda: has)
    config = GlowConfig(size=SIZE, classes=("left", "right"), steps=(1, 1), hidden=(4, 4))
    made = GlowTraining(
        config, GlowTrainingConfig(steps=1), dataset(), dataset(), tmp_path / "state"
    )
    assert {m.mixed for m in made.net.modules() if hasattr(m, "mixed")} == {has}


def test_fine_tuning_begins_where_other_weights_stopped(tmp_path):
    first = trainer(tmp_path / "first.state", steps=40)
    first.run(lambda _: None)
    start = first.checkpoint("first", ModelCard())
    config = replace(first.config, classes=("new", *first.config.classes))
    other = dataset(seed=5)
    tuned = GlowTraining(
        config, GlowTrainingConfig(steps=1, batch=16), other, other, tmp_path / "x", start=start
    )
    plain = load_flow(start)
    pixels, labels = other.pixels[:8], other.labels[:8]
    before = plain.bits_per_dimension(pixels, labels)
    assert tuned.flow().bits_per_dimension(pixels, labels + 1) == pytest.approx(before, abs=1e-3)
    unknown = plain.bits_per_dimension(pixels)
    new = np.zeros(8, dtype=np.int64)
    assert tuned.flow().bits_per_dimension(pixels, new) == pytest.approx(unknown, abs=1e-3)


@pytest.mark.parametrize(
    ("change", "message"), [({"hidden": (9,)}, "other blocks"), ({"size": 16}, "another size")]
)
def test_weights_of_another_shape_cannot_be_tuned(change, message, tmp_path):
    first = trainer(tmp_path / "first.state", steps=1)
    start = first.checkpoint("first", ModelCard())
    config = replace(first.config, **change)
    with pytest.raises(WeightsError, match=message):
        GlowTraining(
            config, GlowTrainingConfig(steps=1), dataset(), dataset(), tmp_path / "x", start=start
        )
    wrong, place = replace(start, kind="octave"), tmp_path / "x"
    with pytest.raises(WeightsError, match="kind 'glow'"):
        GlowTraining(
            first.config, GlowTrainingConfig(steps=1), dataset(), dataset(), place, start=wrong
        )


def test_a_run_goes_on_from_the_weights_that_it_began_with(tmp_path):
    first = trainer(tmp_path / "first.state", steps=1)
    start = replace(first.checkpoint("first", ModelCard()), sha256="11" * 32)
    settings, place = GlowTrainingConfig(steps=2), tmp_path / "x"
    GlowTraining(first.config, settings, dataset(), dataset(), place, start=start).save()
    GlowTraining(first.config, settings, dataset(), dataset(), place, start=start)
    for other in (None, replace(start, sha256="22" * 32)):
        with pytest.raises(InputError, match="another run"):
            GlowTraining(first.config, settings, dataset(), dataset(), place, start=other)


@pytest.mark.slow
def test_the_card_of_fine_tuned_weights_tells_what_they_began_with(folder, tmp_path, command):
    options = ("--condition", "finding", "--steps", 2, "--json")
    shape = ("--size", SIZE, "--blocks", "1,1", "--hidden", "4,4")
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    note = ("--note", "our hospital", "--private-data")
    assert command("weights", "train", folder, "--out", first, *options, *shape, *note) == 0
    assert command("weights", "train", folder, "--out", second, *options, "--start", first) == 0
    assert load(str(second)).config == load(str(first)).config
    card = load(str(second)).card
    assert card.private_training is True
    assert "our hospital" in card.training.start
    assert load(str(first)).sha256 in card.training.start
    assert str(tmp_path) not in repr(card)
