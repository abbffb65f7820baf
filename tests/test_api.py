"""What a program gets by ``import latentdp``: names, their cost, and examples that run."""

import doctest
import subprocess
import sys

import pytest

import latentdp
from tests.support.places import SAMPLES

FOLDER_JOBS = ("privatize_folder", "preview", "verify")
EXAMPLES = {
    "latentdp": latentdp,
    **{name: getattr(latentdp, name) for name in (*FOLDER_JOBS, "load_flow", "Privatizer")},
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_of_a_docstring_runs(name, tmp_path, monkeypatch):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "cxr").symlink_to(SAMPLES)
    monkeypatch.chdir(tmp_path)
    (example,) = doctest.DocTestFinder(recurse=False).find(EXAMPLES[name], name)
    assert example.examples, "a public name has an example"
    failed, _ = doctest.DocTestRunner().run(example)
    assert failed == 0


def test_all_names_are_there_and_none_loads_torch_before_it_is_asked_for():
    code = (
        "import sys, latentdp; first = 'torch' in sys.modules; "
        "assert set(latentdp.__all__) <= set(dir(latentdp)); "
        "[getattr(latentdp, name) for name in latentdp.__all__ if name != 'load_flow']; "
        "assert not first and 'torch' not in sys.modules; latentdp.load_flow"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(AttributeError, match="no attribute 'privatise'"):
        _ = latentdp.privatise
