"""The one door of randomness: fresh in every process, thread and copy, and nothing beside it."""

import ast
import os
import pickle
import threading

import pytest

from latentdp.privacy.noise import SeededNoise, SystemNoise
from tests.support.places import ROOT


@pytest.mark.promise("No two processes draw the same noise.")
def test_a_fork_draws_its_own_bits():
    """No state is shared that two processes could both go on from."""
    noise = SystemNoise()
    noise.words(10)
    read, write = os.pipe()
    for _ in range(4):
        if os.fork() == 0:
            os.write(write, noise.words(2).tobytes())
            os._exit(0)
    for _ in range(4):
        os.wait()
    os.close(write)
    drawn = os.read(read, 1000)
    os.close(read)
    blocks = {drawn[i : i + 16] for i in range(0, len(drawn), 16)}
    assert len(drawn) == 64
    assert len(blocks | {noise.words(2).tobytes()}) == 5


def test_threads_and_copies_draw_their_own_bits():
    noise, found = SystemNoise(), []
    copies = [noise, pickle.loads(pickle.dumps(noise))] * 4

    def draw(source: SystemNoise) -> None:
        found.extend(source.words(1).tobytes() for _ in range(500))

    threads = [threading.Thread(target=draw, args=(source,)) for source in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 8 * 500  # a chance repetition: 4e-13


def test_a_call_of_any_size_is_one_stream_without_repetition():
    words = SystemNoise().words(100_000)
    assert len(set(words.tolist())) == len(words)  # a chance repetition: 3e-10
    assert SystemNoise().words(0).shape == (0,)


def test_only_the_system_noise_is_secure_and_it_takes_no_seed():
    assert SystemNoise.secure
    assert not SeededNoise(0).secure
    with pytest.raises(TypeError):
        SystemNoise(1)


SOURCES = ("urandom", "getrandom", "default_rng", "RandomState", "token_bytes", "randbits")


@pytest.mark.promise(
    "All randomness of a release comes from the operating system, through one door."
)
def test_randomness_comes_through_the_door_only():
    """No other module imports a generator. Training and cards draw from torch with a seed."""
    paths = sorted((ROOT / "latentdp").rglob("*.py"))
    assert len(paths) > 100
    for path in paths:
        assert not forbidden(path), path


def forbidden(path) -> set[str]:
    """What a module names that it may not."""
    tree = ast.parse(path.read_text())
    names = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(a.name for a in node.names)}
    # torch.random is how a network's first weights are drawn from a seed of their own.
    allowed = {"random"} if "models" in path.parts else set()
    wrong = names & ({*SOURCES, "random", "secrets"} - allowed)
    wrong = set() if path.name == "noise.py" else wrong
    torch = {n for n in names if n.split(".")[0] == "torch" and "models" not in path.parts}
    return wrong | torch


def test_a_module_that_draws_for_itself_is_found(tmp_path):
    for line in ("import random", "from numpy.random import default_rng", "x = os.urandom(8)"):
        (tmp_path / "x.py").write_text(line)
        assert forbidden(tmp_path / "x.py")
