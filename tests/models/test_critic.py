"""The critic: which of several samples is released, and that the choice follows no image."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from latentdp import InputError, Privatizer, Recipe, WeightsError
from latentdp.models.checkpoints import Checkpoint, load
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.critic import Critic, critic_of, with_critic
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import CriticCard
from latentdp.models.networks.finding_classifier import ClassifierConfig, FindingClassifier
from latentdp.models.training.critic import train_critic
from latentdp.models.training.training_data import as_trained
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import Plan
from latentdp.privacy.samplers.uniform import gumbel
from latentdp.privatizer.candidates import draw_images
from tests.support.one_by_one import one_after_the_other
from tests.support.places import SAMPLES
from tests.support.tiny_flow import make_net, tiny_checkpoint

ALARM = 1e-6  # false alarms of each statistical test
WIDTHS = (4, 8)


@pytest.fixture(scope="module")
def reader() -> FindingClassifier:
    images = np.random.default_rng(0).random((1, 40, 16, 16), dtype=np.float32)
    labels = np.arange(40)[None] % 2
    return FindingClassifier.fit(images, labels, 2, ClassifierConfig(steps=8, widths=WIDTHS))


@pytest.fixture(scope="module")
def critic(reader) -> Critic:
    return Critic((reader, reader), np.random.default_rng(1).normal(size=(4, 2 * WIDTHS[-1] + 1)))


def recipe(**changes) -> Recipe:
    return Recipe(**({"epsilon": 2.0, "directions": 4, "candidates": 8} | changes))


def privatizer(critic: Critic | None, **changes) -> Privatizer:
    directions = np.linalg.qr(np.random.default_rng(5).normal(size=(256, 40)))[0].T
    flow = Flow(
        make_net(), ModelCard(), "tiny", "00" * 32, AddOns(directions=directions, critic=critic)
    )
    return Privatizer(flow, recipe(**changes), SeededNoise(3))


def test_ratios_in_bfloat16_are_nearly_those_of_float32():
    """Where a processor has none both are float32, and the same."""
    exact, fast = (load_flow("cxr-adult", exact=which).critic for which in (True, False))
    assert exact is not None
    assert fast is not None
    flow = load_flow("cxr-adult")
    images = flow.decode(np.random.default_rng(2).normal(size=(48, flow.d)))
    unknown = np.full(48, -1)
    ratios = exact.log_ratio(images, unknown)
    whole, half = exact.networks
    small = images.reshape(48, 32, 2, 32, 2).mean(axis=(2, 4))
    features = np.concatenate([whole.features(images), half.features(small)], axis=1)
    odds = features @ exact.ratio[-1, :-1] + exact.ratio[-1, -1]
    assert np.allclose(ratios, np.clip(odds, -30, 30), atol=1e-9)
    apart = fast.log_ratio(images, unknown) - ratios
    assert apart.std() < ratios.std() / 20
    assert np.abs(apart).max() < ratios.std() / 10


# --- The choice ---------------------------------------------------------------------------------


def test_gumbel_is_gumbel():
    assert stats.kstest(gumbel(SeededNoise(4), 100_000), "gumbel_r").pvalue > ALARM


class Scores:
    """A critic that likes an image by its grey level alone."""

    def __init__(self, odds: dict[float, float]) -> None:
        self.odds = odds

    def log_ratio(self, images, labels):
        return np.log([self.odds[round(float(x), 2)] for x in images[:, 0, 0]])


def offered(monkeypatch, made: Privatizer, levels: list[float], invalid: float = -1.0) -> None:
    """Candidates are flat pictures of these levels, one after the other."""
    calls = iter(levels)

    def decode(flow, latents, labels):
        level = next(calls)
        flat = np.full((len(latents), 16, 16), level, dtype=np.float32)
        return flat, np.full(len(latents), level != invalid)

    monkeypatch.setattr(Plan, "complete", lambda plan, protected, noise: protected)
    monkeypatch.setattr(Flow, "decode_valid", decode)


def test_a_candidate_is_chosen_in_proportion_to_its_ratio(monkeypatch):
    odds = {0.1: 1.0, 0.2: 2.0, 0.3: 5.0, 0.4: 0.5}
    made = privatizer(Scores(odds), candidates=4)
    offered(monkeypatch, made, list(odds))
    release = made.from_latents(np.zeros((20_000, 256)))
    counts = [int((release.images[:, 0, 0].round(2) == np.float32(k)).sum()) for k in odds]
    expected = np.array(list(odds.values())) / sum(odds.values()) * 20_000
    assert stats.chisquare(counts, expected).pvalue > ALARM


@pytest.mark.parametrize("invalid", [0.1, 0.2, 0.3])
def test_a_candidate_that_is_no_image_is_never_chosen(monkeypatch, invalid):
    made = privatizer(Scores({0.1: 1.0, 0.2: 1.0, 0.3: 1.0}), candidates=3)
    offered(monkeypatch, made, [0.1, 0.2, 0.3], invalid)
    release = made.from_latents(np.zeros((500, 256)))
    assert release.valid.all()
    assert len(np.unique(release.images)) == 2
    assert not np.isclose(release.images, invalid).any()


def test_if_no_candidate_is_an_image_the_row_is_invalid(monkeypatch):
    made = privatizer(Scores({0.1: 1.0}), candidates=2)
    offered(monkeypatch, made, [0.1, 0.1], 0.1)
    assert not made.from_latents(np.zeros((3, 256))).valid.any()


@pytest.mark.promise(
    "Noise is drawn once for each charge, however many candidates the critic is shown."
)
def test_the_mechanism_draws_once_whatever_the_candidates(critic, monkeypatch):
    made = privatizer(critic)
    (mechanism,) = (b.mechanism for b in made.plan.blocks if b.mechanism is not None)
    calls, drawn, once = [], [], type(mechanism).privatize

    def spy(self, latents, /, *, noise):
        calls.append(once(self, latents, noise=noise))
        return calls[-1]

    monkeypatch.setattr(type(mechanism), "privatize", spy)
    decode = Flow.decode_valid
    monkeypatch.setattr(
        Flow, "decode_valid", lambda f, z, labels: drawn.append(z) or decode(f, z, labels)
    )
    made.from_latents(np.random.default_rng(0).normal(size=(5, 256)))
    assert len(calls) == 1, "a second draw would be a second release"
    candidates = np.concatenate(drawn).reshape(8, 5, 256)  # however many are decoded at a time
    spent = [made.plan.coordinates(z)[:, :4] for z in candidates]
    rest = [made.plan.coordinates(z)[:, 4:] for z in candidates]
    for other, fresh in zip(spent[1:], rest[1:], strict=True):
        assert np.allclose(other, calls[0])
        assert not np.isclose(fresh, rest[0]).any(), "the rest is drawn anew"


def test_the_choice_follows_no_image(critic):
    """Everything resampled, no label: two inputs under the same bits give the same release."""
    a, b = (
        privatizer(critic, directions=0, label="none").from_latents(z)
        for z in (np.zeros((3, 256)), np.full((3, 256), 9.0))
    )
    assert np.array_equal(a.images, b.images)


def test_each_image_is_chosen_on_its_own(critic):
    z = np.random.default_rng(0).normal(size=(4, 256))
    other = z.copy()
    other[1:] += 1
    one, two = (privatizer(critic).from_latents(x).images for x in (z, other))
    assert np.array_equal(one[0], two[0])
    assert not np.array_equal(one[1], two[1])


def test_candidates_cost_nothing(critic):
    one, many = (privatizer(critic, candidates=n) for n in (1, 8))
    assert one.guarantee == many.guarantee
    assert one.unprotected == many.unprotected
    assert (one.candidates, many.candidates) == (1, 8)


def test_without_a_critic_or_anything_to_draw_there_is_one_candidate(critic):
    assert privatizer(None).candidates == 1
    assert privatizer(critic, directions=-1).candidates == 1
    assert privatizer(critic).candidates == 8


@pytest.mark.parametrize("wrong", [0, -1, 65, 2.0, True, "8"])
def test_a_wrong_number_of_candidates_is_refused(wrong):
    with pytest.raises(InputError, match="candidates"):
        recipe(candidates=wrong)


def test_recipes_from_before_there_were_candidates_keep_their_digest():
    made = recipe(candidates=1)
    assert "candidates" not in made._record()
    assert made.digest != recipe(candidates=2).digest
    assert made.pixels_digest != recipe(candidates=2).pixels_digest
    assert Recipe.from_toml(made.to_toml()) == made


# --- In a flow's weights ------------------------------------------------------------------------


def weights(critic: Critic) -> Checkpoint:
    return with_critic(tiny_checkpoint(), critic, CriticCard(reader_classes=2, widths=WIDTHS))


def test_a_critic_comes_back_from_a_weights_file(critic):
    kept = weights(critic)
    read = load_flow(kept).critic
    images = np.random.default_rng(0).random((6, 16, 16), dtype=np.float32)
    labels = np.array([0, 1, 2, -1, 0, -1])
    assert np.allclose(read.log_ratio(images, labels), critic.log_ratio(images, labels), atol=0.02)
    assert np.allclose(read.ratio[-1], critic.ratio[-1], atol=1e-6)
    assert set(with_critic(kept, critic, kept.card.critic).tensors) == set(kept.tensors)
    z = np.random.default_rng(0).normal(size=(2, 256))
    assert np.array_equal(load_flow(kept).decode(z), Flow(make_net(), ModelCard()).decode(z))


def test_the_second_network_sees_means_of_squares_of_pixels(reader):
    """What stays of an image at half its size, and nothing else."""
    alone = Critic((reader, reader), np.eye(1, 2 * WIDTHS[-1] + 1, k=WIDTHS[-1]))
    rng = np.random.default_rng(3)
    images = rng.random((5, 16, 16), dtype=np.float32)
    grain = rng.choice([-0.1, 0.1], (5, 8, 1, 8, 1)) * np.array([1, -1]).reshape(1, 1, 1, 1, 2)
    other = images + (grain * np.ones((1, 1, 2, 1, 1))).reshape(5, 16, 16).astype(np.float32)
    unknown = np.full(5, -1)
    assert np.allclose(
        alone.log_ratio(images, unknown), alone.log_ratio(other, unknown), atol=1e-4
    )
    whole = Critic((reader, reader), np.eye(1, 2 * WIDTHS[-1] + 1))
    assert not np.allclose(whole.log_ratio(images, unknown), whole.log_ratio(other, unknown))


def test_critics_of_one_network_are_read_as_before(reader):
    single = Critic((reader,), np.random.default_rng(1).normal(size=(4, WIDTHS[-1] + 1)))
    kept = weights(single)
    assert not [name for name in kept.tensors if name.startswith("critic.half.")]
    images = np.random.default_rng(0).random((6, 16, 16), dtype=np.float32)
    labels = np.array([0, 1, 2, -1, 0, -1])
    read = load_flow(kept).critic
    assert np.allclose(read.log_ratio(images, labels), single.log_ratio(images, labels), atol=0.02)


def test_the_label_decides_which_ratio_counts(critic):
    image = np.random.default_rng(0).random((1, 16, 16), dtype=np.float32)
    found = [float(critic.log_ratio(image, np.array([c]))[0]) for c in (0, 1, 2, -1)]
    assert len(set(found)) == 4


def described(checkpoint, **critic):
    return replace(checkpoint, card=ModelCard(critic=CriticCard(**critic)))


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: replace(c, card=ModelCard()),
        lambda c: described(c, reader_classes=2, widths=(4, 9)),
        lambda c: described(c, reader_classes=-1, widths=(4, 8)),
        lambda c: replace(c, tensors=c.tensors | {"critic.ratio": np.zeros((3, 17))}),
        lambda c: replace(c, tensors=c.tensors | {"critic.ratio": np.full((4, 17), np.nan)}),
        lambda c: replace(c, tensors={k: v for k, v in c.tensors.items() if "reader" not in k}),
    ],
)
def test_a_damaged_critic_is_refused(critic, damage):
    with pytest.raises(WeightsError):
        critic_of(damage(weights(critic)), 3)


# --- Teaching -----------------------------------------------------------------------------------


def test_a_critic_learns_what_samples_lack(world):
    """A flow whose samples are all alike: the critic tells them from originals."""
    flow = load_flow(load(str(world.weights)))

    class Dull(Flow):
        def decode_valid(self, latents, labels=None):
            images, valid = super().decode_valid(latents, labels)
            return 0.5 + 0.05 * (images - 0.5), valid

    dull = Dull(flow._net, flow.card)
    train, val = (as_trained(flow, world.data, split) for split in ("train", "val"))
    critic, card = train_critic(dull, train, val)
    assert card.auc > 0.9
    assert 1 <= card.effective_candidates <= card.candidates
    assert critic.ratio.shape[0] == len(flow.classes) + 1
    again, _ = train_critic(dull, train, val)
    assert np.allclose(again.ratio, critic.ratio, rtol=1e-3, atol=1e-3)


def test_reader_and_ratio_learn_on_different_patients(world, monkeypatch):
    flow = load_flow(load(str(world.weights)))
    train, val = (as_trained(flow, world.data, split) for split in ("train", "val"))
    seen, rated = [], []
    taught, features = FindingClassifier.fit.__func__, FindingClassifier.features
    monkeypatch.setattr(
        FindingClassifier,
        "fit",
        classmethod(lambda cls, images, *a: seen.extend(images[0]) or taught(cls, images, *a)),
    )
    monkeypatch.setattr(
        FindingClassifier,
        "features",
        lambda self, images: rated.append(images) or features(self, images),
    )
    assert train_critic(flow, train, val) is not None
    unit = train.pixels.astype(np.float32) / np.float32(255)
    of = {image.tobytes(): p for image, p in zip(unit, train.patients, strict=True)}
    readers = {of.get(np.asarray(image).tobytes()) for image in seen} - {None}  # of a sample
    ratios = {of[np.asarray(image).tobytes()] for image in rated[0]}
    assert readers
    assert ratios
    assert not readers & ratios


def test_what_is_too_little_teaches_no_critic(world):
    flow = load_flow(load(str(world.weights)))
    train, val = (as_trained(flow, world.data, split) for split in ("train", "val"))
    few = replace(train, **{k: getattr(train, k)[:12] for k in ("pixels", "labels", "patients")})
    assert train_critic(flow, few, val) is None


def test_trained_weights_have_a_critic_and_may_get_another(world, tmp_path, command, capsys):
    assert load_flow(load(str(world.weights))).critic is not None, "train makes one"
    out = tmp_path / "with.safetensors"
    assert (
        command(
            "weights", "add-critic", world.weights, world.data, "--out", out, "--seed", 4, "--json"
        )
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["seed"] == 4
    before, after = load(str(world.weights)), load(str(out))
    assert set(before.tensors) == set(after.tensors)
    assert not np.array_equal(before.tensors["critic.ratio"], after.tensors["critic.ratio"])
    for key, tensor in before.tensors.items():
        if not key.startswith("critic."):
            assert np.array_equal(tensor, after.tensors[key])
    assert command("weights", "show", out) == 0
    assert "effective candidates" in capsys.readouterr().out
    assert (
        command("weights", "add-critic", world.weights, world.data, "--out", tmp_path / "x.bin")
        == 2
    )
    assert "expected --out to end in .safetensors" in capsys.readouterr().err


def test_a_release_says_that_it_chose(world, tmp_path, command, capsys):
    out, vault = tmp_path / "out", tmp_path / "vault"
    options = ("--weights", world.weights, "--vault", vault)
    assert command("privatize", SAMPLES, out, *options, "--candidates", 3) in (0, 1)
    assert "one of 3 that are drawn" in capsys.readouterr().out
    card = json.loads((out / "release.json").read_text())
    assert card["image"]["chosen_among"] == 3
    assert command("verify", out) == 0
    card["image"]["chosen_among"] = 5
    (out / "release.json").write_text(json.dumps(card))
    assert command("verify", out) != 0
    plain = tmp_path / "plain"
    assert command("privatize", SAMPLES, plain, *options, "--candidates", 1) in (0, 1)
    assert "that are drawn" not in capsys.readouterr().out
    card = json.loads((plain / "release.json").read_text())
    assert card["image"]["chosen_among"] == 1
    del card["image"]["chosen_among"], card["recipe"]["candidates"]  # as an older version wrote it
    (plain / "release.json").write_text(json.dumps(card))
    (plain / "release.html").unlink()  # it is of the card as it was
    assert command("verify", plain) == 0


# --- Together, and the same ---------------------------------------------------------------------


@pytest.mark.parametrize("together", [1, 7, 128])
@pytest.mark.parametrize(("n", "candidates"), [(1, 4), (3, 5)])
def test_candidates_that_are_decoded_together_are_those_of_one_after_the_other(
    critic, monkeypatch, n, candidates, together
):
    """Of the same random bits; up to how convolutions of several images are rounded."""
    monkeypatch.setattr("latentdp.privatizer.candidates.TOGETHER", together)
    flow, plan = (made := privatizer(critic, candidates=candidates)).flow, made.plan
    protected, labels = np.random.default_rng(2).normal(size=(n, 256)), np.arange(n) % 3
    noise, again = SeededNoise(3), SeededNoise(3)
    images, valid = draw_images(flow, plan, protected, labels, noise, candidates=candidates)
    expected = one_after_the_other(flow, plan, protected, labels, again, candidates=candidates)
    assert np.allclose(images, expected, atol=1e-5)
    assert valid.all()
    assert np.array_equal(noise.words(4), again.words(4))
