"""Leaks of files that are planted are found, and clean files are not accused."""

import hashlib
from typing import Any

import numpy as np
import pytest

from latentdp import Guarantee
from latentdp.core.progress import silent
from latentdp.evaluation.attacks.side_channels import ALARM
from latentdp.evaluation.attacks.side_channels import attack as side_channels
from latentdp.reports.results import Outcome
from tests.support.scenes import (
    noise_only,
    scene,
    with_files,
)
from tests.support.sweeps import slow

N = 60


def originals(rng: np.random.Generator) -> dict[str, tuple]:
    return {
        "name": tuple(f"IM-{i:04d}.dcm" for i in rng.permutation(5000)[:N]),
        "order": tuple(float(i) for i in range(N)),
        "size": tuple(float(x) for x in rng.integers(10_000, 90_000, N)),
        "time": tuple(float(x) for x in 1e9 + rng.integers(0, 10**7, N)),
        "header:StudyDescription": tuple(f"CHEST {w}" for w in rng.integers(0, 50, N)),
    }


def clean(rng: np.random.Generator) -> dict[str, tuple]:
    return {
        "name": tuple(rng.bytes(8).hex() + ".dcm" for _ in range(N)),
        "order": tuple(float(i) for i in rng.permutation(N)),
        "size": (8192.0,) * N,
        "time": tuple(float(x) for x in 2e9 + rng.integers(0, 10**4, N)),
        "header:StudyDescription": tuple(f"X {w}" for w in rng.integers(0, 9, N)),
    }


def linked(original: dict, private: dict, **more: Any) -> dict[str, Outcome]:
    base = scene(noise_only, patients=N // 3, practised=2, **more)
    found = side_channels.run(with_files(base, original, private), silent)
    return {o.setting.removeprefix("files linked by "): o for o in found}


def test_every_planted_leak_of_a_file_is_found_and_only_that():
    rng = np.random.default_rng(4)
    real = originals(rng)
    leaks = {
        "order": real["order"],
        "size": tuple(0.5 * x + 300 for x in real["size"]),
        "time": tuple(5e9 - x for x in real["time"]),
        "name": tuple(f"anon_{name}" for name in real["name"]),
        "header:StudyDescription": real["header:StudyDescription"],
    }
    for kind, values in leaks.items():
        found = linked(real, clean(rng) | {kind: values})
        assert [k for k, o in found.items() if o.headline] == [kind]
        assert found[kind].value > (0.3 if kind.startswith("header") else 0.9)
        assert found[kind].detail["p"] < ALARM
        assert "size" not in found or kind == "size", "a constant says nothing"


def test_names_that_number_the_input_or_hash_its_names_are_found():
    rng = np.random.default_rng(5)
    real = originals(rng)
    numbered = linked(real, clean(rng) | {"name": tuple(f"{i}.png" for i in range(N))})
    assert numbered["name"].value == 1
    assert "order" in numbered["name"].detail["how"]
    digests = tuple(hashlib.sha256(name.encode()).hexdigest()[:12] for name in real["name"])
    hashed = linked(real, clean(rng) | {"name": digests})
    assert hashed["name"].value == 1
    assert "sha256" in hashed["name"].detail["how"]


def test_what_the_card_declares_of_files_is_one_line():
    """The kind of a file follows its source, and size and elements follow the kind."""
    rng = np.random.default_rng(8)
    real = originals(rng)
    digital = rng.random(N) < 0.4
    kind = tuple(np.where(digital, "1.2.3.1.1", "1.2.3.1").tolist())
    real |= {"header:(0008,0016) SOPClassUID": kind}
    declared = clean(rng) | {
        "header:(0008,0016) SOPClassUID": kind,
        "header:(0028,0301) BurnedInAnnotation": tuple(np.where(digital, "NO", "").tolist()),
        "size": tuple(np.where(digital, 9000.0, 8000.0).tolist()),
    }
    real |= {"size": tuple(x + 50_000.0 * d for x, d in zip(real["size"], digital, strict=True))}
    found = linked(real, declared, guarantee=Guarantee(epsilon=1e-3))
    (line,) = [o for o in found.values() if o.headline]
    assert line.declared is True
    assert "declares" in line.setting
    assert "size" in line.detail["how"]
    assert "SOPClassUID" in line.detail["how"]
    assert line.value == pytest.approx(2 / N, abs=0.02), "a bit names one of half as many"
    assert not line.refutes
    assert Outcome.from_json(line.to_json()) == line
    more = declared | {"time": tuple(5e9 - x for x in real["time"])}
    heads = [o for o in linked(real, more).values() if o.headline]
    assert len(heads) == 2, "what tells more stays a leak of its own"
    assert [o.setting for o in heads if o.declared is not True] == ["files linked by time"]


def test_a_leak_refutes_a_claim_about_the_whole_release():
    rng = np.random.default_rng(6)
    real = originals(rng)
    claim = Guarantee(epsilon=1.0)
    found = linked(real, clean(rng) | {"order": real["order"]}, guarantee=claim)
    assert found["order"].refutes
    assert not any(o.refutes for k, o in found.items() if k != "order")


@pytest.mark.statistical
@pytest.mark.parametrize("releases", [5, slow(20)])
def test_clean_files_are_accused_no_more_often_than_stated(releases):
    """20 releases of 4 kinds at the stated rate of 0.001 each: 2 alarms or more once in 320 runs.

    One of these seeds does raise one: a correlation of 0.57 between unrelated times. Of 600 other
    releases, with 1,200 such kinds, none did, and 5 % had a p value below 0.05.
    """
    alarms = 0
    for seed in range(releases):
        rng = np.random.default_rng(100 + seed)
        found = linked(originals(rng), clean(rng))
        assert len(found) == 4
        alarms += sum(o.headline for o in found.values())
    assert alarms <= 1


def test_without_files_there_is_nothing_to_link():
    assert side_channels.unavailable_reason(scene(noise_only, patients=2, practised=2))
