"""Rivals that learn: deformation and repainting."""

import numpy as np
import pytest
import torch

from latentdp.errors import InputError
from latentdp.evaluation.methods.prichexy_net import Deformation
from latentdp.evaluation.methods.privacy_net import PrivacyNet
from latentdp.models.networks.anonymizers import Deformer, identity_grid, warp_grid
from latentdp.models.training.anonymizer import AdversarialConfig
from latentdp.privacy.noise import SeededNoise
from tests.support.methods import LABELS, cohort, fit, shrunk
from tests.support.sweeps import slow


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
        slow(lambda: shrunk(Deformation(0.2, faulty_border=True))),
        slow(lambda: shrunk(PrivacyNet())),
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
