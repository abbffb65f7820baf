"""What a worker process keeps: networks that are loaded once, and no more than it works with."""

import pytest

from latentdp.privacy.noise import SeededNoise
from latentdp.privatizer import Privatizer
from latentdp.recipe import Recipe
from latentdp.release import executor
from latentdp.release.worker import KEPT, WorkerProcess, this_process
from tests.support.folders import go, picture_at, privatizer


def test_the_privatizers_used_last_are_kept_and_keep_their_noise(monkeypatch):
    loaded = []

    def load(recipe, noise=None, *, exact=False):
        loaded.append(recipe.epsilon)
        return (recipe.epsilon, noise, exact)

    monkeypatch.setattr(Privatizer, "from_recipe", load)
    recipes = [Recipe.from_preset("strict", epsilon=float(i)) for i in range(1, KEPT + 2)]
    worker, noise = WorkerProcess(), SeededNoise(1)
    assert worker.privatizer(recipes[0], exact=True, noise=noise) == (1.0, noise, True)
    assert worker.privatizer(recipes[0], exact=True) == (1.0, noise, True)
    for recipe in recipes[1:]:
        worker.privatizer(recipe, exact=True)
    assert len(loaded) == KEPT + 1
    worker.privatizer(recipes[-1], exact=True)
    worker.privatizer(recipes[1], exact=True)
    assert len(loaded) == KEPT + 1
    worker.privatizer(recipes[0], exact=True)
    assert loaded[KEPT + 1 :] == [1.0], "the first was let go when there were too many"
    worker.privatizer(recipes[0], exact=False)
    assert len(loaded) == KEPT + 3, "exact networks are others"


@pytest.mark.parametrize(
    ("images", "workers", "sizes"),
    [(128, 2, [32] * 4), (40, 2, [20, 20]), (3, 2, [2, 1]), (1, 4, [1]), (0, 2, []),
     (40, 1, [32, 8]), (130, 3, [32] * 4 + [2])],
)  # fmt: skip
def test_no_worker_is_left_without_a_group(images, workers, sizes):
    groups = executor.Pool(None, privatizer(), workers).groups(range(images))
    assert [len(group) for group in groups] == sizes
    assert [i for group in groups for i in group] == list(range(images))


def test_the_process_of_a_run_keeps_none(tmp_path):
    before = dict(this_process._loaded)
    picture_at(tmp_path / "in" / "p.png", 1)
    assert go(tmp_path).released == 1
    assert this_process._loaded == before
    assert executor.this_process is this_process
