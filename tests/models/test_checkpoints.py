import json
from dataclasses import replace

import numpy as np
import pytest

from latentdp import WeightsError
from latentdp.core.filesystem import digest
from latentdp.models import checkpoints
from latentdp.models.checkpoints import Checkpoint, ShippedWeights, load, save, shipped
from latentdp.models.flow.flow import load_flow
from tests.support.places import ROOT
from tests.support.tiny_flow import tiny_checkpoint


@pytest.fixture
def checkpoint() -> Checkpoint:
    return tiny_checkpoint(summary="a test")


def test_saved_weights_load_as_they_were(checkpoint, tmp_path):
    path = tmp_path / "x.safetensors"
    save(checkpoint, path)
    again = load(str(path))
    assert again.card == checkpoint.card
    assert again.sha256 == digest(path)
    assert all(np.array_equal(again.tensors[k], v) for k, v in checkpoint.tensors.items())
    assert load_flow(again).shape == (16, 16)
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"], "nothing else is left"


def test_shipped_weights_are_what_the_manifest_says():
    total = 0
    for name, entry in shipped().items():
        path = ROOT / "weights" / entry.file
        assert digest(path) == entry.sha256 == load(name).sha256
        assert path.stat().st_size == entry.bytes < 20e6
        card = load(name).card
        assert card.training_data not in (None, "not stated")
        assert entry.kind == "embedding" or card.looked_at  # what of samples was seen
        assert entry.sha256 in path.with_suffix(".md").read_text()
        total += entry.bytes
    assert total < 80e6


def test_altered_weights_are_refused(monkeypatch, checkpoint, tmp_path):
    save(checkpoint, tmp_path / "x.safetensors")
    entry = ShippedWeights(
        file="x.safetensors", sha256="0" * 64, bytes=1, kind="glow", size=64, summary=""
    )
    monkeypatch.setattr(checkpoints, "shipped", lambda: {"x": entry})
    monkeypatch.setattr(checkpoints.resources, "files", lambda _: tmp_path)
    with pytest.raises(WeightsError, match="differs from its sha256") as caught:
        load("x")
    assert caught.value.exit_code == 4
    (tmp_path / "x.safetensors").unlink()
    with pytest.raises(WeightsError, match="is missing"):
        load("x")


def test_unknown_weights_are_answered_with_the_known_ones():
    with pytest.raises(WeightsError, match="cxr-adult"):
        load("no-such-weights")


def test_a_file_that_is_no_weights_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"not weights at all")
    with pytest.raises(WeightsError, match="not a readable"):
        load(str(path))


def test_truncated_weights_are_refused(checkpoint, tmp_path):
    path = tmp_path / "x.safetensors"
    save(checkpoint, path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(WeightsError, match="not a readable"):
        load(str(path))


def test_another_format_is_refused(checkpoint, tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, str(tmp_path / "x.safetensors"), metadata={"format": "other"})
    with pytest.raises(WeightsError, match="format"):
        load(str(tmp_path / "x.safetensors"))


@pytest.mark.parametrize("change", ["nan", "missing", "shape", "kind", "config"])
def test_weights_that_cannot_be_right_are_refused(checkpoint, tmp_path, change):
    tensors = dict(checkpoint.tensors)
    name = next(k for k, v in tensors.items() if v.ndim == 4 and "net" in k)
    broken = checkpoint
    if change == "nan":
        tensors[name] = np.full_like(tensors[name], np.nan)
    elif change == "missing":
        del tensors[name]
    elif change == "shape":
        tensors[name] = tensors[name][:1]
    elif change == "kind":
        broken = replace(checkpoint, kind="other")
    else:
        broken = replace(checkpoint, config=json.dumps({"size": 16}))
    path = tmp_path / "x.safetensors"
    save(replace(broken, tensors=tensors), path)
    with pytest.raises(WeightsError):
        load_flow(load(str(path)))
