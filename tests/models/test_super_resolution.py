"""Detail of an octave: Haar's transform, the flow given the half, the cascade, its training."""

import csv
import hashlib
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from latentdp._weights.flow_card import flow_card
from PIL import Image

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.data.dicom.profile import Profile
from latentdp.data.preprocess import resize
from latentdp.metrics.spectrum import octaves, power
from latentdp.models.checkpoints import Checkpoint, load, save
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.flow.invariants import check, laws
from latentdp.models.model_card.wavelet_flow import half, temperature
from latentdp.models.super_resolution.cascade import DetailFlow, SuperResolutionCascade
from latentdp.models.super_resolution.checkpoint import PREFIX, detail_flow_of, with_detail_flows
from latentdp.models.super_resolution.haar import join, split
from latentdp.models.super_resolution.wavelet_flow import WaveletFlow, WaveletFlowConfig
from latentdp.models.training.wavelet_flow import (
    WaveletFlowTraining,
    WaveletFlowTrainingConfig,
    degraded,
    detail_bits,
)
from latentdp.privacy.noise import SeededNoise
from latentdp.release.describe import derivation
from tests.support.places import SAMPLES
from tests.support.sweeps import slow
from tests.support.tiny_flow import make_net, tiny_checkpoint

CONFIG = WaveletFlowConfig(size=32, steps=2, hidden=8, features=8, blocks=1)


def photographs(n=12, side=32, seed=0) -> np.ndarray:
    """Smooth pictures with a grain whose strength follows their brightness."""
    rng = np.random.default_rng(seed)
    smooth = np.stack(
        [resize(rng.random((4, 4), dtype=np.float32), (side, side)) for _ in range(n)]
    )
    grain = rng.normal(size=smooth.shape) * 0.1 * smooth
    return np.rint(np.clip(0.2 + 0.6 * smooth + grain, 0, 1) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def octave(tmp_path_factory) -> DetailFlow:
    """One that was trained for a few steps."""
    state = tmp_path_factory.mktemp("octave") / "x.state"
    made = trainer(state, steps=60)
    made.run(lambda _: None)
    return DetailFlow(made.average, 0.8)


def trainer(state, train=None, **changes) -> WaveletFlowTraining:
    options = {"batch": 8, "crop": 16, "learning_rate": 5e-3, "ema": 0.9} | changes
    pixels = photographs() if train is None else train
    return WaveletFlowTraining(
        CONFIG, WaveletFlowTrainingConfig(**options), pixels, photographs(4, seed=1), state
    )


# --- Haar ---------------------------------------------------------------------------------------


@given(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_an_image_is_its_half_and_its_detail(n, height, width, seed):
    x = torch.rand(n, 1, 2 * height, 2 * width, generator=torch.Generator().manual_seed(seed))
    halves, details = split(x)
    assert torch.allclose(join(halves, details), x, atol=1e-6)
    assert torch.allclose(halves, torch.nn.functional.avg_pool2d(x, 2), atol=1e-6)
    energy = 4 * halves.square().sum() + details.square().sum()
    assert torch.allclose(energy, x.square().sum(), rtol=1e-4), "at the scale of a rotation"


# --- The flow -----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4, 4), (16, 16), (6, 10), (32, 8)])
def test_detail_is_recovered_at_any_size(octave, shape):
    generator = torch.Generator().manual_seed(0)
    details = 0.1 * torch.randn(2, 3, *shape, generator=generator)
    halves = torch.rand(2, 1, *shape, generator=generator) - 0.5
    z, _ = octave.net.encode(details, halves)
    assert z.shape == details.shape
    assert torch.allclose(octave.net.decode(z, halves), details, atol=1e-4)


def test_the_log_determinant_is_that_of_the_map(octave):
    generator = torch.Generator().manual_seed(1)
    details = 0.1 * torch.randn(1, 3, 2, 2, generator=generator).double()
    halves = torch.rand(1, 1, 2, 2, generator=generator).double() - 0.5
    net = WaveletFlow(CONFIG).double()
    net.load_state_dict(octave.net.state_dict())

    def flat(x):
        return net.encode(x.reshape(1, 3, 2, 2), halves)[0].flatten()

    jacobian = torch.autograd.functional.jacobian(flat, details.flatten())
    assert torch.allclose(torch.linalg.slogdet(jacobian)[1], net.encode(details, halves)[1][0])


def test_it_learns_what_detail_goes_with_a_half(tmp_path):
    """The grain is stronger where it is brighter: a model that does not look knows less."""
    made = trainer(tmp_path / "x.state", steps=150)
    before, _ = detail_bits(made.average, made.val)
    made.run(lambda _: None)
    after, others = detail_bits(made.average, made.val)
    assert others == 0
    assert after < before - 0.2
    blind = WaveletFlow(CONFIG)
    blind.load_state_dict(made.average.state_dict())
    blind.eval()
    blind.description.forward = lambda half: torch.zeros(
        len(half), 8, *[s // 2 for s in half.shape[2:]]
    )
    assert detail_bits(blind, made.val)[0] > after + 0.05


def test_images_without_a_density_are_counted_and_leave_the_others_mean(octave, monkeypatch):
    """One letter that overflows the network would make the bits of a whole split "nan"."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    net, seen = octave.net, []
    wanted, none = detail_bits(net, pixels)
    assert np.isfinite(wanted)
    assert none == 0

    def forward(details, halves):
        nats = octave_forward(details, halves)
        seen.append(float(nats) / details.numel())
        return nats * (np.nan if len(seen) == 2 else 1.0)

    octave_forward = net.forward
    monkeypatch.setattr(net, "forward", forward)
    found, others = detail_bits(net, pixels)
    assert others == 1
    assert 8 - np.mean(seen) / np.log(2) == pytest.approx(wanted, rel=1e-6)
    assert 8 - (seen[0] + seen[2]) / 2 / np.log(2) == pytest.approx(found, rel=1e-6)


def test_a_card_has_no_nan():
    card = load("cxr-paediatric").card
    bits = {"train": float("nan"), "val": 2.2, "test": 2.3}
    told = TOLD | {"bits_per_detail": bits, "without_density": {"val": 0, "test": 1}}
    page = flow_card("x", 0, "", card | {"octaves": {"128": told}})
    assert "| 128 | - | 2.2 | 2.3 (1) | 0.8 |" in page
    assert "nan" not in page


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(tmp_path):
    whole, part = trainer(tmp_path / "a", steps=8), trainer(tmp_path / "b", steps=8)
    whole.run(lambda _: None)
    part.run(lambda _: None, stop=lambda: part.step >= 3)
    assert part.step == 3
    again = trainer(tmp_path / "b", steps=8)
    assert again.step == 3
    again.run(lambda _: None)
    for name, tensor in whole.average.state_dict().items():
        assert torch.equal(tensor, again.average.state_dict()[name]), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"crop": 6}, "multiple of 4"),
        ({"crop": 64}, "at least 2 images of 64 pixels"),
        ({"batch": 0}, "batch"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"steps": 0}, "minutes or of steps"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, message, tmp_path):
    with pytest.raises(InputError, match=message):
        trainer(tmp_path / "x", **({"steps": 1} | change))


def test_halves_are_shown_as_they_are_or_a_little_worse():
    halves = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) - 0.5
    shown = degraded(halves, 0.02, torch.Generator().manual_seed(1))
    apart = (shown - halves).square().mean(dim=(1, 2, 3)).sqrt()
    assert apart.min() < 0.02
    assert apart.max() > 0.05
    assert apart.median() < 0.05, "most are nearly as they are"


# --- The cascade --------------------------------------------------------------------------------


def test_a_larger_image_keeps_its_half(octave):
    halves = half(photographs(5) / np.float32(255))
    large = octave.enlarge(halves, SeededNoise(0))
    assert large.shape == (5, 32, 32)
    assert large.dtype == np.float32
    inside = (large > 0).all(axis=(1, 2)) & (large < 1).all(axis=(1, 2))
    assert inside.any()
    assert np.abs(half(large) - halves)[inside].max() < 1e-4


def test_detail_comes_from_the_noise_alone(octave):
    halves = half(photographs(3) / np.float32(255))
    one, same, other = (octave.enlarge(halves, SeededNoise(s)) for s in (0, 0, 1))
    assert np.array_equal(one, same)
    assert np.abs(one - other).mean() > 1e-3


def test_each_image_is_enlarged_on_its_own(octave):
    halves = half(photographs(3) / np.float32(255))
    changed = halves.copy()
    changed[1] = 0.5
    one, two = (octave.enlarge(x, SeededNoise(0)) for x in (halves, changed))
    assert np.allclose(one[[0, 2]], two[[0, 2]], atol=1e-6)


def test_detail_that_is_not_finite_is_left_out(octave):
    broken = WaveletFlow(CONFIG)
    broken.load_state_dict(octave.net.state_dict())
    broken.prior.bias.data[:] = float("inf")
    halves = half(photographs(2) / np.float32(255))
    large = replace(octave, net=broken.eval()).enlarge(halves, SeededNoise(0))
    assert np.array_equal(large, halves.repeat(2, axis=1).repeat(2, axis=2))


def with_cascade(*details: DetailFlow) -> Flow:
    return Flow(make_net(), {}, add_ons=AddOns(cascade=SuperResolutionCascade(details)))


def test_detail_keeps_its_laws_or_is_refused(octave):
    images = half(photographs(3) / np.float32(255))
    labels = np.full(3, -1, dtype=np.int64)
    flow = with_cascade(octave)
    found = [law for law in check(flow, images, labels) if "32 pixels" in law.name]
    assert len(found) == 3

    class Gossip(WaveletFlow):
        def decode(self, z, halves):
            return super().decode(z, halves - halves.mean(dim=0))

    gossip = Gossip(CONFIG)
    gossip.load_state_dict(octave.net.state_dict())
    flow = with_cascade(replace(octave, net=gossip))
    broken = {law.name for law in laws(flow, images, labels) if not law.holds}
    assert "detail to 32 pixels is drawn for an image on its own" in broken
    with pytest.raises(WeightsError, match="detail to 32 pixels"):
        check(flow, images, labels)


@pytest.mark.parametrize(("size", "steps"), [(16, 0), (32, 1), (24, 1), (64, 2), (100, 2)])
def test_a_cascade_climbs_as_far_as_it_must(octave, size, steps, monkeypatch):
    net = WaveletFlow(replace(CONFIG, size=64))
    net.load_state_dict(octave.net.state_dict())
    second = DetailFlow(net)
    climbed = []
    once = DetailFlow.enlarge
    monkeypatch.setattr(DetailFlow, "enlarge", lambda o, *a: climbed.append(o.size) or once(o, *a))
    small = half(photographs(2) / np.float32(255))
    large = SuperResolutionCascade([octave, second]).enlarge(small, size, SeededNoise(0))
    assert large.shape == (2, size, size)
    assert climbed == [32, 64][:steps]


def test_without_octaves_an_image_is_enlarged_smoothly():
    small = half(photographs(2) / np.float32(255))
    large = SuperResolutionCascade([]).enlarge(small, 40, SeededNoise(0))
    assert np.array_equal(large, np.stack([resize(image, (40, 40)) for image in small]))


def test_two_octaves_of_one_size_are_refused(octave):
    with pytest.raises(WeightsError, match="one detail flow for each size"):
        SuperResolutionCascade([octave, octave])


def test_weights_come_back_as_they_were_saved(octave, tmp_path):
    made = trainer(tmp_path / "x.state", steps=2)
    made.run(lambda _: None)
    save(made.checkpoint("detail", {"summary": "a test"}), tmp_path / "detail.safetensors")
    read = detail_flow_of(load(str(tmp_path / "detail.safetensors")))
    assert read.size == 32
    assert read.temperature == 1.0
    for name, tensor in made.average.state_dict().items():
        assert torch.allclose(tensor.float(), read.net.state_dict()[name], atol=1e-3), name
    good = load(str(tmp_path / "detail.safetensors"))
    for wrong in (
        replace(good, kind="glow"),
        replace(good, config="{}"),
        replace(good, config=replace(CONFIG, hidden=9).to_json()),
    ):
        with pytest.raises(WeightsError):
            detail_flow_of(wrong)


# --- In a flow's weights ------------------------------------------------------------------------


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
    with pytest.raises(InputError, match=r"expected octaves for 32, 64 pixels, got \[32, 32\]"):
        with_detail_flows(detailed, [one, one])
    with pytest.raises(WeightsError, match="kind 'octave'"):
        with_detail_flows(detailed, [tiny_checkpoint()])
    with pytest.raises(WeightsError, match="kind 'glow'"):
        with_detail_flows(one, [one])
    unmeasured = replace(one, card={k: v for k, v in one.card.items() if k != "temperature"})
    with pytest.raises(WeightsError, match="lacks 'temperature'"):
        with_detail_flows(detailed, [unmeasured])


def test_private_training_of_an_octave_is_that_of_the_whole(detailed, octave):
    assert "private_training" not in detailed.card
    made = with_detail_flows(detailed, [part(octave, private_training=True)])
    assert made.card["private_training"] is True


def without(detailed: Checkpoint, name: str) -> Checkpoint:
    tensors = {k: v for k, v in detailed.tensors.items() if k != f"{PREFIX}32.{name}"}
    return replace(detailed, tensors=tensors)


def told(detailed: Checkpoint, **changes) -> Checkpoint:
    card = {"octaves": {"32": detailed.card["octaves"]["32"] | changes}}
    return replace(detailed, card=card)


STRICT = ("--preset", "strict", "--json")
WAITING = "steps.0.norm.data_dep_init_done"


@pytest.mark.parametrize(
    "damage",
    [
        lambda d: without(d, "prior.bias"),
        lambda d: replace(d, card={"octaves": [1]}),
        lambda d: replace(d, card={"octaves": {"32": "x"}}),
        lambda d: replace(d, card={"octaves": {"64": d.card["octaves"]["32"]}}),
        lambda d: told(d, config="[]"),
        lambda d: told(d, config="[" * 100_000),
        lambda d: told(d, config='{"size": Infinity}'),
        lambda d: told(d, config=replace(CONFIG, size=64).to_json()),
        lambda d: told(d, config='{"size": 32, "hidden": 1000000000}'),
        lambda d: told(d, temperature="warm"),
        lambda d: told(d, temperature=float("nan")),
        lambda d: told(d, temperature=0),
        lambda d: told(d, temperature=100.0),
        lambda d: told(d, temperature=[1]),
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
    release = privatizer(images)
    large = privatizer.enlarge(release.images)
    assert large.shape == (5, size, size)
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
    for option in ("detail", "all_chests", "all_frontal"):
        del record["profile"][option]
    for option in ("candidates", "resample_identity", "unlabelled"):
        del record[option]
    expected = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    assert old.digest == expected


# --- Spectra ------------------------------------------------------------------------------------


def test_white_noise_has_as_much_power_everywhere():
    rng = np.random.default_rng(0)
    found = octaves(rng.random((40, 64, 64)).astype(np.float32))
    assert np.ptp(found[2:]) < 1.0, "decibels"


def test_power_lies_where_the_detail_is():
    x = np.arange(64)
    image = 0.5 + 0.3 * np.sin(2 * np.pi * 20 * x / 64)[None, None, :] * np.ones((1, 64, 1))
    found = power(image.astype(np.float32))
    assert abs(int(found.argmax()) + 1 - 20) <= 1
    assert octaves(image.astype(np.float32)).argmax() == 4, "17 to 32 cycles: the last octave"


def test_the_temperature_gives_detail_the_power_of_real_detail(octave):
    """Of detail that this very network drew at 0.6, it is 0.6."""
    halves = half(photographs(40, seed=3) / np.float32(255))
    drawn = replace(octave, temperature=0.6).enlarge(halves, SeededNoise(7))
    assert temperature(octave, np.rint(drawn * 255).astype(np.uint8)) == pytest.approx(0.6)


# --- The command --------------------------------------------------------------------------------


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
    assert card == load(str(out)).card
    assert card["images"] == {"train": 3, "val": 4, "test": 4}, "the small one is left out"
    assert set(card["bits_per_detail"]) == {"train", "val", "test"}
    assert card["training"]["steps"] == 3
    assert 0.5 <= card["temperature"] <= 1.0
    assert out.with_suffix(".png").is_file()


@pytest.fixture(scope="module")
def weights(detailed, tmp_path_factory, command):
    """Files: a flow's weights, an octave's, and the two together by the command."""
    place = tmp_path_factory.mktemp("weights")
    bare = with_detail_flows(detailed, [])
    training = {"steps": 1, "images_shown": 1}
    card = {"summary": "small", "conditions": [], "sources": [], "training": training}
    save(replace(bare, card=card), place / "bare.safetensors")
    octave = load_flow(detailed).cascade.flows[32]
    save(part(octave), place / "octave.safetensors")
    out = place / "both.safetensors"
    parts = (place / "bare.safetensors", place / "octave.safetensors")
    assert command("weights", "add-detail", *parts, "--out", out) == 0
    assert list(load(str(out)).card["octaves"]) == ["32"]
    return place


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
