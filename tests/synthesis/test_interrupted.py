"""A synthesis that died, or that is asked for again."""

import json

import pytest

from latentdp.errors import Aborted, InputError
from latentdp.synthesis import job as job_module
from latentdp.synthesis import learn_once
from latentdp.synthesis import run as run_module
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.run import synthesize
from latentdp.synthesis.verify import verify_synthesis
from tests.support.folders import charges, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort, pixels, request, spent, write


def test_running_again_charges_nothing_and_leaves_all_as_it_is(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    before = tree(tmp_path / "out")
    again = synthesize(request(tmp_path), shared_flow())
    assert again.already
    assert again.charged == 0
    assert tree(tmp_path / "out") == before
    assert charges(tmp_path)["reserve"] == 6


@pytest.mark.parametrize("where", ["release", "kept", "finish", "draw"])
def test_a_run_that_dies_is_gone_on_with_and_learns_once_for_one_charge(
    tmp_path, monkeypatch, where
):
    """Killed before, while and after it keeps what was learnt, which is never drawn again."""
    cohort(tmp_path, 6, 1)

    def die(*_, **__):
        raise OSError(28, "No space left on device")

    learnt = []
    with monkeypatch.context() as patched:
        if where == "release":
            patched.setattr(job_module.Learner, "release", die)
        if where == "kept":
            patched.setattr(job_module.Generator, "save", die)
        if where == "finish":
            patched.setattr(learn_once, "_finish", die)
        if where == "draw":
            patched.setattr(run_module, "draw", die)
        with pytest.raises(Aborted):
            synthesize(request(tmp_path), shared_flow())
    kept = {p.name: p.read_bytes() for p in (tmp_path / "vault").glob("synthesis/*.safetensors")}
    assert bool(kept) == (where in ("finish", "draw"))
    assert charges(tmp_path)["reserve"] == 6

    real = job_module.Learner.release

    def counted(self, noise):
        learnt.append(1)
        return real(self, noise)

    monkeypatch.setattr(job_module.Learner, "release", counted)
    summary = synthesize(request(tmp_path), shared_flow())
    assert summary.charged == 0
    assert len(learnt) == (0 if kept else 1)
    assert charges(tmp_path) == {"reserve": 6, "written": 6}
    (file,) = (tmp_path / "vault" / "synthesis").iterdir()
    assert not kept or kept == {file.name: file.read_bytes()}
    assert verify_synthesis(tmp_path / "out").ok


def test_a_run_that_died_while_drawing_leaves_no_image_of_its_own(tmp_path, monkeypatch):
    cohort(tmp_path, 6, 1)
    real, seen = run_module.draw, []

    def torn(file, destination, flow, noise, progress, *, language):
        (destination.out / "images").mkdir(parents=True)
        (destination.out / "images" / "000009.png").write_bytes(b"torn")
        card = destination.card(Generator.load(file), "incomplete").to_json()
        (destination.out / "release.json").write_text(json.dumps(card), encoding="utf-8")
        seen.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_module, "draw", torn)
    with pytest.raises(Aborted):
        synthesize(request(tmp_path), shared_flow())
    monkeypatch.setattr(run_module, "draw", real)
    synthesize(request(tmp_path), shared_flow())
    assert len(pixels(tmp_path)) == 5


def test_what_was_learnt_and_is_lost_is_not_learnt_again_for_nothing(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    for file in (tmp_path / "vault" / "synthesis").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="gone from the vault"):
        synthesize(request(tmp_path, "other"), shared_flow())
    assert charges(tmp_path)["reserve"] == 6


def test_another_recipe_another_cohort_or_other_findings_are_charged_anew(tmp_path):
    cohort(tmp_path, 6, 1)
    synthesize(request(tmp_path), shared_flow())
    synthesize(request(tmp_path, "b", method="mixture"), shared_flow())
    write(tmp_path / "labels.csv", [{"file": "p0/0.dcm", "label": "normal"}])
    synthesize(request(tmp_path, "c"), shared_flow())
    assert charges(tmp_path)["reserve"] == 18
    balance = next(iter(spent(tmp_path).values()))
    assert balance.releases == 3
    assert 23.9e6 < balance.micro_epsilon <= 24e6 + 3
