"""What a program gets by ``import latentdp``: names, their cost, and examples that run."""

import doctest
import subprocess
import sys

import pytest

import latentdp
from tests.support.places import SAMPLES
from tests.support.sweeps import some
from tests.support.world import public_images

FOLDER_JOBS = (
    "privatize_folder", "preview", "synthesize", "verify", "evaluate", "evaluate_synthesis",
    "evaluate_site", "compare", "compare_central", "compare_private",
)  # fmt: skip
IN_MEMORY = ("load_flow", "load_images", "resize_images", "Privatizer", "Release")
EXAMPLES = {
    "latentdp": latentdp,
    **{name: getattr(latentdp, name) for name in (*FOLDER_JOBS, *IN_MEMORY)},
}


@pytest.mark.usefixtures("least_effort")
@pytest.mark.parametrize("name", some(EXAMPLES, lambda name: name not in ("compare", "evaluate")))
def test_the_example_of_a_docstring_runs(name, world, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    for part in ("cxr", "findings.csv"):
        (tmp_path / "samples" / part).symlink_to(SAMPLES.with_name(part))
    public_images(world, tmp_path / "public")
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder(recurse=False).find(EXAMPLES[name], name)
    assert example.examples, "a public name has an example"
    failed, _ = doctest.DocTestRunner().run(example)
    assert failed == 0


def test_all_names_are_there_and_none_loads_torch_before_it_is_asked_for():
    code = (
        "import sys, latentdp; first = {'torch', 'numpy', 'scipy'} & set(sys.modules); "
        "assert set(latentdp.__all__) <= set(dir(latentdp)); "
        "networks = ['load_flow', 'evaluate', 'evaluate_synthesis', 'evaluate_site', 'compare', "
        "'compare_central', 'compare_private']; "
        "[getattr(latentdp, name) for name in latentdp.__all__ if name not in networks]; "
        "assert not first and 'torch' not in sys.modules; "
        "[getattr(latentdp, name) for name in networks]"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'privatise'"):
        _ = latentdp.privatise


def test_a_privatizer_by_position_is_taken_with_a_warning(tmp_path, tiny_flow):
    """As version 0.1 took it."""
    privatizer = latentdp.Privatizer(tiny_flow, latentdp.Recipe.from_preset("strict"))
    source, out = SAMPLES / "clinic-a", tmp_path / "out"
    with pytest.warns(DeprecationWarning, match="preview its privatizer by keyword"):
        foreseen, _ = latentdp.preview(source, privatizer, out=out)
    with pytest.warns(DeprecationWarning, match="privatize_folder its privatizer by keyword"):
        summary = latentdp.privatize_folder(source, out, privatizer, vault=tmp_path / "vault")
    assert summary.released == foreseen.released == 3
    assert summary.guarantee == privatizer.guarantee


def test_what_an_evaluation_refuses_is_refused_before_anything_is_read(tmp_path):
    for options, message in (
        ({"claimed_epsilon": 1.0}, "belong to --pairs"),
        ({"restarts": 0}, "at least 1"),
        ({"auc_at_most": 1.0}, "from 0.5 to 0.6"),
        ({"report": tmp_path / "out" / "r"}, "must not lie in IN or OUT"),
    ):
        with pytest.raises(latentdp.InputError, match=message):
            latentdp.evaluate(tmp_path / "in", tmp_path / "out", **options)
    for options, message in (
        ({"patients": -1}, "at least 0"),
        ({"steps": 0}, "at least 1"),
        ({"first_at_most": 1.0}, "from 0 to 0.02"),
    ):
        with pytest.raises(latentdp.InputError, match=message):
            latentdp.compare(tmp_path / "data", tmp_path / "out", **options)


def test_what_a_comparison_of_trainings_or_syntheses_refuses_is_refused_before_it_is_read(
    tmp_path,
):
    for compare in (latentdp.compare_central, latentdp.compare_private):
        for options, message in (
            ({"patients": [-1]}, "at least 0"),
            ({"epsilons": []}, "at least one epsilon"),
            ({"seeds": 0}, "at least 1 seed"),
            ({"methods": ["gan"]}, "there are:"),
        ):
            with pytest.raises(latentdp.InputError, match=message):
                compare(tmp_path / "data", tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()
    assert not list(tmp_path.iterdir())
