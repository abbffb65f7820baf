"""Rivals, controls and our presets as methods: one contract for all, then what each one is."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from latentdp.core.plugins import load, names
from latentdp.core.progress import silent
from latentdp.data.cohort import Cohort
from latentdp.errors import InputError
from latentdp.evaluation.methods._adversarial import Adversarial
from latentdp.evaluation.methods.blur import Blur
from latentdp.evaluation.methods.cadp import CADPAsPublished
from latentdp.evaluation.methods.controls import (
    LabelMean,
    NoiseOnly,
    PriorSample,
    Raw,
)
from latentdp.evaluation.methods.dp_glow import DPGlow
from latentdp.evaluation.methods.dp_pix import DPPix
from latentdp.evaluation.methods.gaussian_pixel_noise import GaussianPixelNoise
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.methods.prichexy_net import Deformation
from latentdp.evaluation.methods.privacy_net import PrivacyNet
from latentdp.evaluation.methods.random_warp import RandomWarp
from latentdp.models.networks.anonymizers import Deformer, identity_grid, warp_grid
from latentdp.models.training.anonymizer import AdversarialConfig
from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import PRESETS
from tests.support.contract import Replay

ALARM = 1e-6
LABELS = np.array([0, 1, 2, -1, 0])
TINY = AdversarialConfig(
    identity_steps=1, adversary_steps=2, rounds=4, pairs=4, save_every=0.0, widths=(4, 8)
)

ROWS = {"dp_pix": 3, "cadp": 2, "controls": 5, "presets": len(PRESETS) - 2}
METHODS = [f"{kind}/{i}" for kind in names("methods") for i in range(ROWS.get(kind, 1))]


def group(kind, flow):
    return load("methods", kind).examples_for(flow)


def shrunk(method):
    if isinstance(method, Adversarial):
        method.training, method.features, method.levels = TINY, 2, 2
    return method


def cohort(n=16, seed=0, **changes) -> Cohort:
    """Two images of each of n people; those of one are alike."""
    rng = np.random.default_rng(seed)
    people = rng.random((n, 1, 16, 16)) * 0.8
    images = (people + 0.2 * rng.random((n, 2, 16, 16))).reshape(-1, 16, 16)
    fields = {
        "images": images.astype(np.float32),
        "patients": np.repeat(np.arange(n), 2),
        "labels": np.arange(2 * n) % 2,
        "findings": np.arange(2 * n) % 3 - 1,
        "finding_names": ("finding", "normal"),
        "views": np.array(["AP", "PA"] * n),
        "sexes": np.array(["F", "M"] * n),
        "sources": np.array(["here"] * (2 * n)),
        "ages": np.full(2 * n, 50.0),
    }
    return Cohort(**(fields | changes))


def fit(method, folder, train=None, val=None, seed=0, tell=silent):
    train, val = train or cohort(), val or cohort(seed=1)
    method.fit(train, val, seed=seed, state=folder / "state", tell=tell)
    return method


@pytest.fixture
def method(request, tiny_flow, tmp_path):
    kind, _, number = request.param.partition("/")
    made = shrunk(group(kind, tiny_flow)[int(number)])
    return fit(made, tmp_path) if made.learns else made


def test_the_contract_is_run_over_everything(tiny_flow):
    kinds = names("methods")
    everything = [f"{kind}/{i}" for kind in kinds for i in range(len(group(kind, tiny_flow)))]
    assert sorted(METHODS) == sorted(everything)
    rows = [method.name for kind in kinds for method in group(kind, tiny_flow)]
    assert len(set(rows)) == len(rows), "names of rows are unique"


# --- The contract -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_several_copies_are_those_of_their_noises(method, images):
    """An image that is encoded once for all its copies is still privatized anew for each."""
    private, labels = method.privatize_many(images, LABELS, [SeededNoise(1), SeededNoise(2)])
    for i, seed in enumerate((1, 2)):
        alone, released = method.privatize(images, LABELS, SeededNoise(seed))
        assert np.allclose(private[i], alone, atol=1e-6)
        assert np.array_equal(labels[i], released)


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_images_come_out_with_labels_that_are_released(method, images):
    before = images.copy()
    private, released = method.privatize(images, LABELS, SeededNoise(1))
    assert private.shape == images.shape
    assert private.dtype == np.float32
    assert private.min() >= 0
    assert private.max() <= 1
    assert released.shape == LABELS.shape
    assert released.dtype == np.int64
    assert released.min() >= -1
    assert np.array_equal(images, before)
    assert method.name
    assert method.title


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_the_same_noise_gives_the_same(method, images):
    one, other = (method.privatize(images, LABELS, SeededNoise(2)) for _ in range(2))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])


@pytest.mark.parametrize("method", [m for m in METHODS if m != "cadp/0"], indirect=True)
def test_each_image_is_on_its_own(method, images):
    among, labels = method.privatize(images, LABELS, Replay())
    alone, label = method.privatize(images[:1], LABELS[:1], Replay())
    assert np.abs(alone[0] - among[0]).max() < 1e-3
    assert label[0] == labels[0]


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_no_image_gives_no_image(method, images):
    private, released = method.privatize(images[:0], LABELS[:0], SeededNoise(1))
    assert private.shape == (0, 16, 16)
    assert released.shape == (0,)


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_what_protects_all_releases_no_true_label(method, images):
    """Where the guarantee is said to be of everything, labels are noisy or absent."""
    if not method.protects_all:
        return
    assert method.guarantee is not None
    assert method.guarantee.secure
    labels = np.zeros(200, dtype=np.int64)
    _, released = method.privatize(np.repeat(images, 40, axis=0), labels, SeededNoise(4))
    assert (released != labels).any()


@pytest.mark.parametrize("cls", [LabelMean, Deformation, PrivacyNet])
def test_what_learns_must_learn_first(cls, images):
    assert cls.learns
    with pytest.raises(InputError, match="fitted first"):
        cls().privatize(images, LABELS, SeededNoise(1))


# --- DP-Pix -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "cell", "epsilon", "pixels", "whole"),
    [(64, 4, 1.0, 1, 4096.0), (64, 8, 0.1, 1, 409.6), (64, 4, 0.1, 1, 409.6), (16, 4, 1, 16, 16)],
)
def test_dp_pix_is_worth_this_for_the_whole_image(size, cell, epsilon, pixels, whole):
    """Cells times b^2 eps / m, by hand; the grid costs less than a thousandth."""
    method = DPPix(size, cell=cell, epsilon=epsilon, pixels=pixels)
    assert method.guarantee.epsilon == pytest.approx(whole, rel=1e-3)
    assert method.protects_all
    assert f"{epsilon:g} for {pixels} pixel" in method.claim
    steps, base = method.steps, method.sampler.base
    assert method.guarantee.epsilon >= method.cells * steps * math.log(2) / base


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_dp_pix_adds_laplace_noise_to_the_means_of_cells():
    rng = np.random.default_rng(3)
    images = (0.4 + 0.2 * rng.random((200, 16, 16))).astype(np.float32)
    method = DPPix(16, cell=4, epsilon=50.0)
    private, released = method.privatize(images, np.zeros(200, dtype=int), SeededNoise(5))
    cells = private[:, ::4, ::4]
    assert np.array_equal(cells.repeat(4, 1).repeat(4, 2), private), "a cell has one grey level"
    means = images.reshape(200, 4, 4, 4, 4).mean(axis=(2, 4))
    scale = 1 / (16 * 50)
    assert stats.kstest((cells - means).ravel(), stats.laplace(scale=scale).cdf).pvalue > ALARM
    assert (released == -1).all()


@pytest.mark.parametrize(
    "bad", [{"cell": 3}, {"cell": 0}, {"epsilon": 0.0}, {"epsilon": math.nan}, {"pixels": 0}]
)
def test_dp_pix_refuses_what_it_cannot_do(bad):
    with pytest.raises(InputError, match="expected"):
        DPPix(**({"size": 16, "cell": 4, "epsilon": 1.0} | bad))


# --- Noise, blur, warp ------------------------------------------------------------------------


def test_gaussian_pixel_noise_is_worth_this_for_the_whole_image():
    """Balle and Wang's trade-off by hand: 2 x 2 pixels are 2 apart, the noise is 1."""
    guarantee = GaussianPixelNoise(2, 255.0).guarantee
    epsilon, ratio = guarantee.epsilon, 2.0
    delta = stats.norm.cdf(ratio / 2 - epsilon / ratio) - math.exp(epsilon) * stats.norm.cdf(
        -ratio / 2 - epsilon / ratio
    )
    assert guarantee.delta == 1e-6
    assert delta == pytest.approx(1e-6, rel=1e-3)
    assert GaussianPixelNoise(64, 100.0).guarantee.epsilon > 10_000


@pytest.mark.statistical  # Kolmogorov-Smirnov, false-alarm rate 1e-6
def test_gaussian_pixel_noise_is_normal():
    images = np.full((40, 16, 16), 0.5, dtype=np.float32)
    private, _ = GaussianPixelNoise(16, 20.0).privatize(images, np.zeros(40, int), SeededNoise(6))
    drawn = (private - 0.5).ravel()
    assert stats.kstest(drawn, stats.norm(scale=20 / 255).cdf).pvalue > ALARM


def test_blur_keeps_what_is_flat_and_spreads_a_point():
    flat = np.full((1, 16, 16), 0.3, dtype=np.float32)
    point = np.zeros((1, 33, 33), dtype=np.float32)
    point[0, 16, 16] = 1
    assert Blur(5).privatize(flat, np.zeros(1, int), SeededNoise(0))[0] == pytest.approx(0.3)
    spread = Blur(2).privatize(point, np.zeros(1, int), SeededNoise(0))[0][0]
    assert spread.max() == pytest.approx(1 / (2 * math.pi * 4), rel=0.02)
    assert Blur(2).guarantee is None


def test_a_random_warp_moves_pixels_as_far_as_stated_and_keeps_grey_levels():
    """A ramp across shows the displacement across, half of its square; interior only."""
    ramp = np.tile(np.linspace(0, 1, 64, dtype=np.float32), (200, 64, 1))
    flat = np.full((2, 64, 64), 0.3, dtype=np.float32)
    warp = RandomWarp(3.0)
    warped, _ = warp.privatize(ramp, np.zeros(200, int), SeededNoise(7))
    moved = (warped - ramp)[:, :, 16:-16] * 63
    assert np.sqrt((moved**2).mean()) == pytest.approx(3 / math.sqrt(2), rel=0.1)
    assert np.abs(np.diff(moved, axis=2)).max() < 2, "it is smooth"
    kept, _ = warp.privatize(flat, np.zeros(2, int), SeededNoise(7))
    assert kept == pytest.approx(0.3)


@pytest.mark.parametrize("made", [Blur, RandomWarp, lambda x: GaussianPixelNoise(16, x)])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_strengths_that_are_none_are_refused(made, bad):
    with pytest.raises(InputError, match="expected a"):
        made(bad)


# --- CADP and DP-GLOW -------------------------------------------------------------------------


def test_cadp_as_published_depends_on_the_batch(tiny_flow, images):
    """The same image with the same noise is another image when its mates are others."""
    method = CADPAsPublished(tiny_flow, epsilon=6.0)
    alone, _ = method.privatize(images[:1], LABELS[:1], Replay())
    among, _ = method.privatize(images, LABELS, Replay())
    assert np.abs(alone[0] - among[0]).max() > 0.01
    apart = CADPAsPublished(tiny_flow, epsilon=6.0, batch=1)
    again, _ = apart.privatize(images[:1], LABELS[:1], Replay())
    assert np.array_equal(alone, again)


def test_cadp_as_published_clips_the_largest_column_sum(tiny_flow):
    method = CADPAsPublished(tiny_flow, epsilon=1.0)
    latents = np.array([[1.0, -3.0], [2.0, 1.0]])  # column sums 3 and 4; s is 1/2
    assert method.clip(latents) == pytest.approx(latents / 8)
    assert method.clip(latents / 100) == pytest.approx(latents / 100)
    assert (method.clip(np.zeros((2, 3))) == 0).all()


@pytest.mark.parametrize(
    ("epsilon", "scale"), [(0.5, 0.5), (1, 0.5), (6, 0.5), (8, 0.5), (16, 0.25)]
)
def test_cadps_published_noise_hardly_knows_epsilon(tiny_flow, epsilon, scale):
    assert CADPAsPublished(tiny_flow, epsilon=epsilon).scale == scale


def test_cadp_releases_true_labels_and_so_protects_not_all(tiny_flow, images):
    published, corrected = group("cadp", tiny_flow)
    for method in (published, corrected):
        assert np.array_equal(method.privatize(images, LABELS, SeededNoise(1))[1], LABELS)
        assert not method.protects_all
    assert published.guarantee is None
    assert "as published" in published.title
    assert corrected.guarantee.epsilon == math.inf
    assert corrected.guarantee.noised_part.epsilon == pytest.approx(13072, rel=0.01)


@pytest.mark.parametrize("each", [0.5, 2.0])
def test_dp_glow_claims_an_element_and_costs_an_image(tiny_flow, each):
    method = DPGlow(tiny_flow, each=each)
    assert f"epsilon {each:g} for one" in method.claim
    assert method.guarantee.epsilon == pytest.approx(256 * each, rel=0.01)
    assert method.guarantee.epsilon <= 256 * each
    assert method.protects_all


# --- Deformation and repainting ---------------------------------------------------------------


def sampled(grid: torch.Tensor) -> np.ndarray:
    """Which pixels of the source bilinear sampling touches at all."""
    size = grid.shape[-1]
    across, down = ((grid[0] + 1) * (size - 1) / 2).double().numpy()
    touched = np.zeros((size, size), dtype=bool)
    for y, x in (
        (np.floor, np.floor),
        (np.floor, np.ceil),
        (np.ceil, np.floor),
        (np.ceil, np.ceil),
    ):
        touched[y(np.round(down, 4)).astype(int), x(np.round(across, 4)).astype(int)] = True
    return touched


def test_without_displacement_nothing_moves_not_even_the_border(images):
    net = Deformer(0.0, faulty_border=False, features=2, levels=2).eval()
    torch.nn.init.normal_(net.net.last.weight)
    shown = torch.from_numpy(images)[:, None]
    assert (net(shown) - shown).abs().max() < 1e-5
    assert sampled(warp_grid(torch.rand(1, 2, 64, 64), 0.0)).all()


def test_the_published_border_fault_is_reproduced():
    """17.97 % of a 64 x 64 image is never sampled at mu = 0, as an independent audit found."""
    lost = 1 - sampled(warp_grid(torch.zeros(1, 2, 64, 64), 0.0, faulty_border=True)).mean()
    assert lost == pytest.approx(0.1797, abs=1e-4)


def test_no_pixel_is_displaced_by_more_than_mu():
    flow = torch.sign(torch.randn(3, 2, 16, 16, generator=torch.Generator().manual_seed(1)))
    moved = (warp_grid(flow, 0.05) - identity_grid(16, 16)).abs().max()
    assert 0.01 < moved <= 0.05 + 1e-6
    constant = warp_grid(torch.ones(1, 2, 16, 16), 0.05) - identity_grid(16, 16)
    assert torch.allclose(constant, torch.tensor(-0.05), atol=1e-6), "at the border, too"


class Stopped(Exception):
    """The process is killed."""


@pytest.mark.parametrize(
    "make",
    [
        lambda: shrunk(Deformation(0.2)),
        lambda: shrunk(Deformation(0.2, faulty_border=True)),
        lambda: shrunk(PrivacyNet()),
    ],
)
def test_learning_is_reproducible_goes_on_and_is_not_repeated(make, tmp_path, images):
    for name in ("one", "two", "stopped"):
        (tmp_path / name).mkdir()

    def killed(done, doing):
        if done > 0.3 + 0.7 * 2.5 / 4:  # in the third of four rounds; each is kept
            raise Stopped

    whole = fit(make(), tmp_path / "one")
    again = fit(make(), tmp_path / "two")
    with pytest.raises(Stopped):
        fit(make(), tmp_path / "stopped", tell=killed)
    steps = []
    resumed = fit(make(), tmp_path / "stopped", tell=lambda done, doing: steps.append(done))
    assert len(steps) == 3, "the last two rounds, and the end"
    steps.clear()
    loaded = fit(make(), tmp_path / "one", tell=lambda done, doing: steps.append(done))
    assert steps == [1.0]
    first = whole.privatize(images, LABELS, SeededNoise(0))[0]
    for other in (again, resumed, loaded):
        assert np.array_equal(first, other.privatize(images, LABELS, SeededNoise(0))[0])


def test_a_deformation_learns_to_move_something(tmp_path, images):
    method = shrunk(Deformation(0.2))
    method.training = AdversarialConfig(
        adversary_steps=20, rounds=10, pairs=8, widths=(4, 8), learning_rate=0.01
    )
    private, labels = fit(method, tmp_path).privatize(images, LABELS, SeededNoise(0))
    assert np.abs(private - images).mean() > 0.01
    assert (labels == -1).all()
    assert method.guarantee is None


def test_a_state_of_another_run_is_refused(tmp_path):
    fit(shrunk(Deformation(0.2)), tmp_path)
    for other, changes in (
        (Deformation(0.1), {}),
        (Deformation(0.2), {"seed": 1}),
        (Deformation(0.2), {"train": cohort(seed=2)}),
    ):
        with pytest.raises(InputError, match="another run"):
            fit(shrunk(other), tmp_path, **changes)
    (tmp_path / "state").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="damaged"):
        fit(shrunk(Deformation(0.2)), tmp_path)


def test_views_are_read_where_there_is_but_one_finding(tmp_path):
    same = np.zeros(32, dtype=np.int64)
    fit(shrunk(Deformation(0.2)), tmp_path, train=cohort(findings=same))
    unknown = cohort(findings=same, views=np.array([""] * 32))
    with pytest.raises(InputError, match="2 findings or views"):
        fit(shrunk(Deformation(0.2)), tmp_path, train=unknown)


def test_learning_needs_two_images_of_someone(tmp_path):
    with pytest.raises(InputError, match="who has 2 images"):
        fit(shrunk(Deformation(0.2)), tmp_path, train=cohort(patients=np.arange(32)))


def test_the_depth_of_the_network_must_fit_the_image(tmp_path):
    method = shrunk(Deformation(0.2))
    method.levels = 5
    with pytest.raises(InputError, match="multiple of 32"):
        fit(method, tmp_path)


# --- Controls ---------------------------------------------------------------------------------


def test_raw_is_the_image_and_the_label(images):
    private, released = Raw().privatize(images, LABELS, SeededNoise(0))
    assert np.array_equal(private, images)
    assert np.array_equal(released, LABELS)
    assert Raw().guarantee is None
    assert not Raw().protects_all


@pytest.mark.parametrize("preset", ["balanced", "strict", "cadp", "dp-glow"])
def test_a_prior_sample_has_the_label_and_nothing_of_the_image(tiny_flow, images, preset):
    like = PresetMethod(preset, tiny_flow)
    method = PriorSample(like)
    one = method.privatize(images, LABELS, SeededNoise(3))
    other = method.privatize(1 - images, LABELS, SeededNoise(3))
    assert np.array_equal(one[0], other[0])
    assert np.array_equal(one[1], other[1])
    assert len({image.tobytes() for image in one[0]}) == len(images), "each is a fresh one"
    response = like.privatizer.plan.response
    epsilon = response.guarantee.epsilon if response else 0.0
    assert method.guarantee.noised_part.epsilon == pytest.approx(epsilon, abs=1e-9)
    assert method.protects_all == (preset != "cadp")
    assert like.privatizer.plan.blocks != method.privatizer.plan.blocks or preset == "strict"


def test_a_prior_sample_of_a_public_label_tells_it(tiny_flow, images):
    public = next(
        m
        for m in load("methods", "controls").examples_for(tiny_flow)
        if m.name == "prior-sample-public-label"
    )
    assert np.array_equal(public.privatize(images, LABELS, SeededNoise(0))[1], LABELS)
    assert not public.protects_all


def test_label_means_are_of_labels_alone(tmp_path, images):
    train = cohort()
    method = fit(LabelMean(deviation=0.0), tmp_path, train)
    one = method.privatize(images, LABELS, SeededNoise(0))
    assert np.array_equal(one[0], method.privatize(1 - images, LABELS, SeededNoise(0))[0])
    assert np.array_equal(one[1], LABELS)
    assert one[0][0] == pytest.approx(train.images[train.labels == 0].mean(axis=0))
    assert one[0][1] == pytest.approx(train.images[train.labels == 1].mean(axis=0))
    for unknown in (2, 3):  # a label that training did not have, and none
        assert one[0][unknown] == pytest.approx(train.images.mean(axis=0))
    assert method.guarantee is None


def test_noise_says_nothing(images):
    method = NoiseOnly()
    one, other = (method.privatize(x, LABELS, SeededNoise(0))[0] for x in (images, 1 - images))
    assert np.array_equal(one, other)
    assert method.guarantee.epsilon == 0
    assert method.protects_all


# --- Our presets ------------------------------------------------------------------------------


def test_a_preset_is_the_privatizer_with_the_given_noise(tiny_flow, images):
    method = PresetMethod("balanced", tiny_flow)
    direct = Privatizer(tiny_flow, method.recipe, SeededNoise(9))(images, labels=LABELS)
    private, released = method.privatize(images, LABELS, SeededNoise(9))
    assert np.array_equal(private, direct.images)
    assert np.array_equal(released, direct.labels)
    assert method.guarantee.epsilon == pytest.approx(8, rel=0.01)
    assert method.guarantee.secure, "the stated guarantee is that of real noise"
    assert method.privatizer.noise.secure, "the given noise does not stay"


def test_presets_are_ours_without_those_that_stand_for_rivals(tiny_flow):
    found = {method.name for method in load("methods", "presets").examples_for(tiny_flow)}
    assert found == set(PRESETS) - {"dp-glow", "cadp"}


@pytest.mark.parametrize(
    ("preset", "changes", "epsilon"),
    [
        ("balanced", {"label": "response"}, 8),
        ("balanced", {"label": "public"}, math.inf),
        ("balanced", {"label": "none", "keep_label_dims": 1}, math.inf),
        ("empirical", {"resample_identity": 2, "keep_label_dims": 1}, math.inf),
    ],
)
def test_where_something_is_released_exactly_nothing_is_guaranteed(
    tiny_flow, preset, changes, epsilon
):
    method = PresetMethod(preset, tiny_flow, **changes)
    assert round(method.guarantee.epsilon, 2) == epsilon
    assert method.protects_all == (changes.get("label") == "response")


def test_changes_of_a_preset_reach_its_recipe(tiny_flow):
    method = PresetMethod("balanced", tiny_flow, name="balanced-2", epsilon=2.0)
    assert method.name == "balanced-2"
    assert method.guarantee.epsilon == pytest.approx(2, rel=0.01)
    with pytest.raises(InputError, match="no preset"):
        PresetMethod("nothing", tiny_flow)
