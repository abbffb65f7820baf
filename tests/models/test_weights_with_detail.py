"""Detail flows in weights: kept beside the flow, added by the command, and used by a release."""

import csv
import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from latentdp._weights.flow_card import flow_card
from msgspec import structs
from PIL import Image

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.core.documents import from_json, to_json
from latentdp.data.dicom.profile import Profile
from latentdp.data.preprocess import resize
from latentdp.models.checkpoints import Checkpoint, load, save
from latentdp.models.flow.flow import load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import TrainingCard
from latentdp.models.super_resolution.checkpoint import PREFIX, with_detail_flows
from latentdp.models.super_resolution.detail_flow import DetailFlow
from latentdp.privacy.noise import SeededNoise
from latentdp.release.describe import derivation
from tests.support.detail_flows import CONFIG, photographs
from tests.support.places import SAMPLES
from tests.support.sweeps import slow
from tests.support.tiny_flow import tiny_checkpoint


def test_a_card_has_no_nan():
    card = load("cxr-paediatric").card
    bits = {"train": float("nan"), "val": 2.2, "test": 2.3}
    told = TOLD | {"bits_per_detail": bits, "without_density": {"val": 0, "test": 1}}
    page = flow_card(
        "x", 0, "", structs.replace(card, octaves={"128": from_json(told, ModelCard, "it")})
    )
    assert "| 128 | - | 2.2 | 2.3 (1) | 0.8 |" in page
    assert "nan" not in page


TOLD = {
    "bits_per_detail": {"val": 5.0},
    "decibels_by_octave": {"val": {"real": [1.0], "drawn": [1.0], "halves alone": [0.0]}},
    "temperature": 0.8,
    "training": {"crops_shown": 1},
    "training_data": "made here",
}


def part(octave: DetailFlow, **changes) -> Checkpoint:
    return tiny_checkpoint(octave.net, "octave", **(TOLD | changes))


@pytest.fixture(scope="module")
def detailed(octave) -> Checkpoint:
    """Weights of a flow at 16 pixels with an octave to 32."""
    return with_detail_flows(tiny_checkpoint(summary="small"), [part(octave)])


def test_weights_with_detail_flows_are_those_of_the_flow_and_more(detailed):
    flow = load_flow(detailed)
    assert flow.cascade.steps(16, 32) == flow.cascade.steps(16, 50) == (32,)
    assert flow.cascade.steps(16, 16) == ()
    plain = load_flow(tiny_checkpoint())
    assert plain.cascade.steps(16, 32) == ()
    z = np.random.default_rng(0).normal(size=(2, 256))
    assert np.array_equal(plain.decode(z), flow.decode(z))
    again = with_detail_flows(detailed, [])
    assert set(again.tensors) == set(tiny_checkpoint().tensors)
    assert load_flow(again).cascade.steps(16, 32) == ()


def test_octaves_must_follow_one_another(detailed, octave):
    one = part(octave)
    with pytest.raises(
        InputError, match="lead on from 16 pixels, one after the other, got 16 to 32, 16 to 32"
    ):
        with_detail_flows(detailed, [one, one])
    with pytest.raises(WeightsError, match="kind 'octave'"):
        with_detail_flows(detailed, [tiny_checkpoint()])
    with pytest.raises(WeightsError, match="kind 'glow'"):
        with_detail_flows(one, [one])
    unmeasured = replace(one, card=structs.replace(one.card, temperature=None))
    with pytest.raises(WeightsError, match="lacks 'temperature'"):
        with_detail_flows(detailed, [unmeasured])


def test_private_training_of_an_octave_is_that_of_the_whole(detailed, octave):
    assert detailed.card.private_training is None
    made = with_detail_flows(detailed, [part(octave, private_training=True)])
    assert made.card.private_training is True


def without(detailed: Checkpoint, name: str) -> Checkpoint:
    tensors = {k: v for k, v in detailed.tensors.items() if k != f"{PREFIX}32.{name}"}
    return replace(detailed, tensors=tensors)


def told(detailed: Checkpoint, **changes) -> Checkpoint:
    changed = structs.replace(detailed.card.octaves["32"], **changes)
    return replace(detailed, card=ModelCard(octaves={"32": changed}))


STRICT = ("--preset", "strict", "--json")


WAITING = "steps.0.norm.data_dep_init_done"


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: without(d, "prior.bias"),
        lambda d: replace(d, card=ModelCard(octaves={"64": d.card.octaves["32"]})),
        lambda d: replace(d, card=ModelCard(octaves={"large": d.card.octaves["32"]})),
        lambda d: told(d, config="[]"),
        lambda d: told(d, config="[" * 100_000),
        lambda d: told(d, config='{"size": Infinity}'),
        lambda d: told(d, config=replace(CONFIG, size=64).to_json()),
        lambda d: told(d, config='{"size": 32, "hidden": 1000000000}'),
        lambda d: told(d, temperature=float("nan")),
        lambda d: told(d, temperature=0),
        lambda d: told(d, temperature=100.0),
        lambda d: replace(
            d, tensors=d.tensors | {f"{PREFIX}32.{WAITING}": np.zeros((), dtype=np.bool_)}
        ),
    ],
)
def test_damaged_octaves_are_one_clear_error(detailed, damage):
    """Here, and not in the middle of a run, when budgets are spent."""
    assert f"{PREFIX}32.{WAITING}" in detailed.tensors
    with pytest.raises(WeightsError):
        load_flow(damage(detailed))


@pytest.mark.parametrize(
    ("size", "detail", "drawn"),
    [(32, True, (32,)), (64, True, (32,)), (32, False, ()), (16, True, ())],
)
def test_a_privatizer_enlarges_its_private_images_alone(detailed, images, size, detail, drawn):
    recipe = Recipe.from_preset("strict", profile=Profile(size=size, detail=detail))
    privatizer = Privatizer(load_flow(detailed), recipe, SeededNoise(0))
    assert privatizer.octaves == drawn
    release = privatizer.release_and_rate(images)[0]
    large = privatizer.enlarge(release.images)
    assert large.shape == privatizer(images).images.shape == (5, size, size)
    smooth = np.stack([resize(image, (size, size)) for image in release.images])
    assert np.array_equal(large, smooth) == (not drawn)
    assert ("drawn detail up to 32" in derivation(privatizer, release.guarantee)) == bool(drawn)
    small = Privatizer(load_flow(detailed), Recipe.from_preset("strict"), SeededNoise(0))
    assert privatizer.guarantee == small.guarantee


def test_recipes_from_before_there_was_detail_are_still_theirs():
    old = Recipe.from_preset("strict", profile=Profile(size=256), candidates=1)
    text = "".join(x for x in old.to_toml().splitlines(True) if not x.startswith("detail"))
    assert Recipe.from_toml(text).digest == old.digest
    new = replace(old, profile=replace(old.profile, detail=True))
    assert new.digest != old.digest
    assert new.pixels_digest == old.pixels_digest, "detail follows the pixels"
    # SHA-256 of the record as it was before the field came, weights by their name.
    record = asdict(old)
    for option in ("detail", "all_chests", "all_frontal", "file_format", "mark"):
        del record["profile"][option]
    since = ("candidates", "resample_identity", "keep_layout", "unlabelled", "release_findings")
    for option in (*since, "epsilon_per_patient", "images_per_patient", "refuse_odd"):
        del record[option]
    expected = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    assert old.digest == expected


def test_the_command_trains_and_describes_what_it_made(tmp_path, command, capsys):
    data = tmp_path / "data"
    data.mkdir()
    rows = []
    for i, image in enumerate(photographs(12)):
        picture = Image.fromarray(image)
        (picture if i else picture.resize((16, 16))).save(data / f"{i}.png")
        rows.append({"file": f"{i}.png", "split": ("train", "val", "test")[i % 3]})
    with (data / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "detail.safetensors"
    call = (
        "weights", "train-detail", data, "--out", out, "--size", 32, "--steps", 3, "--batch", 4,
        "--crop", 16, "--blocks", 2, "--hidden", 8, "--note", "made here", "--json",
    )  # fmt: skip
    assert command(*call) == 0
    card = json.loads(capsys.readouterr().out)["card"]
    assert card == json.loads(json.dumps(to_json(load(str(out)).card)))
    assert card["images"] == {"train": 3, "val": 4, "test": 4}, "the small one is left out"
    assert set(card["bits_per_detail"]) == {"train", "val", "test"}
    assert card["training"]["steps"] == 3
    assert 0.5 <= card["temperature"] <= 1.5
    assert out.with_suffix(".png").is_file()


@pytest.fixture(scope="module")
def weights(detailed, tmp_path_factory, command):
    """Files: a flow's weights, an octave's, and the two together by the command."""
    place = tmp_path_factory.mktemp("weights")
    bare = with_detail_flows(detailed, [])
    training = TrainingCard(steps=1, images_shown=1)
    card = ModelCard(summary="small", conditions=(), sources=(), training=training)
    save(replace(bare, card=card), place / "bare.safetensors")
    octave = load_flow(detailed).cascade.by_size[32]
    save(part(octave), place / "octave.safetensors")
    out = place / "both.safetensors"
    parts = (place / "bare.safetensors", place / "octave.safetensors")
    assert command("weights", "add-detail", *parts, "--out", out) == 0
    assert list(load(str(out)).card.octaves) == ["32"]
    return place


def test_detail_is_taken_over_from_other_weights(weights, tmp_path, command):
    out = tmp_path / "again.safetensors"
    parts = (weights / "bare.safetensors", weights / "both.safetensors")
    assert command("weights", "add-detail", *parts, "--out", out) == 0
    taken, given = load(str(out)), load(str(weights / "both.safetensors"))
    assert taken.card == given.card
    assert taken.tensors.keys() == given.tensors.keys()


@pytest.mark.parametrize("workers", [1, slow(2)])
def test_a_release_with_detail(weights, tmp_path, command, workers):
    given = ("--weights", weights / "both.safetensors", "--preset", "strict", "--size", 64)
    given += ("--vault", tmp_path / "v")
    out = tmp_path / "out"
    assert command("privatize", SAMPLES, out, *given, "--workers", workers) in (0, 1)
    card = json.loads((out / "release.json").read_text())
    assert card["image"] | {"classes": []} == {
        "size": [64, 64], "made_at": [16, 16], "chosen_among": 1, "detail_drawn_at": [32],
        "classes": [],
    }  # fmt: skip
    assert card["recipe"]["profile"]["detail"] is True
    assert "detail up to 32 pixels" in (out / "release.html").read_text()
    assert command("verify", out) == 0
    before = {path.name: path.read_bytes() for path in (out / "images").iterdir()}
    assert len(before) > 1
    assert command("privatize", SAMPLES, out, *given) in (0, 1)
    after = {path.name: path.read_bytes() for path in (out / "images").iterdir()}
    assert after == before, "what is there is not drawn anew"
    card["image"]["detail_drawn_at"] = [48]
    (out / "release.json").write_text(json.dumps(card))
    assert command("verify", out) == 1


def test_detail_is_drawn_where_it_is_wanted_and_known(weights, command, capsys):
    def explained(name: str, *more: object) -> dict:
        assert command("explain", SAMPLES, "--weights", weights / name, *STRICT, *more) in (0, 1)
        return json.loads(capsys.readouterr().out)

    drawn = "detail_drawn_at"
    assert explained("both.safetensors", "--size", 32)[drawn] == [32]
    assert explained("both.safetensors", "--size", 32, "--no-detail")[drawn] == []
    assert explained("both.safetensors")[drawn] == [32], "as far as there is detail, up to 128"
    assert explained("both.safetensors", "--size", 16)[drawn] == []
    assert explained("both.safetensors", "--no-detail")[drawn] == []
    assert explained("bare.safetensors", "--size", 32)[drawn] == []


@pytest.mark.slow
@pytest.mark.usefixtures("least_effort")
def test_a_release_with_detail_is_evaluated(weights, tmp_path, command, capsys):
    """Attackers take the means of what was drawn: what the mechanism gave."""
    call = (
        "privatize", SAMPLES, tmp_path / "out", "--weights", weights / "both.safetensors",
        "--preset", "strict", "--size", 64, "--vault", tmp_path / "v",
    )  # fmt: skip
    assert command(*call) in (0, 1)
    capsys.readouterr()
    options = ("--vault", tmp_path / "v", "--quick", "--restarts", 1, "--steps", 2, "--json")
    assert command("evaluate", SAMPLES, tmp_path / "out", *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert not found["verdict"]["refuted"]
    assert {"linkage", "side_channels"} <= {row["attack"] for row in found["outcomes"]}
