"""What speaks against weights is told wherever they are used; nothing does against ours."""

import json
from dataclasses import replace

import pytest
from msgspec import structs

import latentdp
from latentdp import WeightsWarning
from latentdp.models.checkpoints import load, save, shipped
from latentdp.models.flow.caveats import (
    FEWEST_IMAGES,
    FEWEST_PATIENTS,
    FEWEST_STEPS,
    caveats_of,
)
from latentdp.models.flow.critic import CRITIC
from latentdp.models.model_card.card import ModelCard
from latentdp.models.model_card.card_parts import LikelihoodCard, TrainingCard
from latentdp.models.model_card.directions_card import DirectionsCard, ProbeRow, ProbeTable
from latentdp.release.verify import verify, verify_card
from tests.support.documents import DOCS
from tests.support.places import SAMPLES
from tests.support.tiny_flow import whole_checkpoint


def directions_of(patients: int) -> DirectionsCard:
    """Directions of which nothing was measured, from so many patients with several images."""
    nothing = ProbeRow(finding=None, identity=None)
    return DirectionsCard(
        count=0, discriminants=0, ratios=(), alpha=0.9, gamma=0.9, images=0, images_compared=0,
        patients_with_pairs=patients, shares={},
        probes=ProbeTable(
            split="val", images=0, sizes=(), baselines={}, all=nothing, directions=()
        ),
    )  # fmt: skip


GOOD = ModelCard(
    checked="in full",
    class_counts_train={"a": FEWEST_IMAGES, "b": 5000},
    training=TrainingCard(steps=FEWEST_STEPS, batch=32),
    directions=directions_of(FEWEST_PATIENTS),
    likelihood=LikelihoodCard(bits=(2.0, 4.0), coarse=(0.0, 1.3)),
)
ALL = {"directions": True, "critic": True, "vouched": False}


def kinds(card, **more):
    return [line.partition(":")[0] for line in caveats_of(card, **(ALL | more))]


def test_nothing_speaks_against_good_weights():
    assert kinds(GOOD) == []


@pytest.mark.parametrize(
    ("change", "more", "kind"),
    [
        ({"checked": None}, {}, "UNCHECKED WEIGHTS"),
        ({"checked": "a quick look"}, {}, "UNCHECKED WEIGHTS"),
        ({"class_counts_train": {"a": 99, "b": 500}}, {}, "FEW IMAGES"),
        ({"training": TrainingCard(steps=1999)}, {}, "FEW STEPS"),
        ({"directions": directions_of(49)}, {}, "DIRECTIONS WITHOUT PATIENTS"),
        ({"directions": None}, {}, "DIRECTIONS WITHOUT PATIENTS"),
        ({}, {"critic": False}, "NO CRITIC"),
        ({"likelihood": None}, {}, "NO LIKELIHOOD RANGE"),
    ],
)
def test_each_lack_is_one_caveat(change, more, kind):
    assert kinds(structs.replace(GOOD, **change), **more) == [kind]
    assert f"| `{kind}` |" in (DOCS / "how-to" / "train.md").read_text(encoding="utf-8")


def test_a_class_is_named_and_no_number_of_images_is_told():
    few = structs.replace(GOOD, class_counts_train={"rare": 37, "b": 500})
    (line,) = caveats_of(few, **ALL)
    assert "rare" in line
    assert "37" not in line
    assert "b," not in line


def test_without_directions_nobody_asks_for_their_patients():
    assert kinds(structs.replace(GOOD, directions=None), directions=False) == []


def test_the_guide_has_the_thresholds():
    text = (DOCS / "how-to" / "train.md").read_text(encoding="utf-8")
    for told in (f"{FEWEST_IMAGES} images", f"{FEWEST_STEPS:,} steps", f"{FEWEST_PATIENTS} pat"):
        assert f"fewer than {told}" in text


@pytest.mark.parametrize("name", shipped("glow"))
def test_shipped_weights_have_no_caveats(name):
    loaded = load(name)
    more = {"directions": "directions" in loaded.tensors}
    more["critic"] = any(key.startswith(f"{CRITIC}.") for key in loaded.tensors)
    assert more == {"directions": True, "critic": True}
    assert caveats_of(loaded.card, vouched=True, **more) == ()


def test_a_release_with_doubtful_weights_says_so_everywhere(
    tmp_path, command, capsys, tiny_weights
):
    out, call = tmp_path / "out", ("--weights", tiny_weights, "--epsilon", 4)
    assert command("privatize", SAMPLES / "clinic-a", out, *call) == 0
    said = capsys.readouterr()
    began = said.err.splitlines()
    card = json.loads((out / "release.json").read_text(encoding="utf-8"))
    caveats = card["weights"]["caveats"]
    assert [line.partition(":")[0] for line in caveats] == [
        "UNCHECKED WEIGHTS",
        "DIRECTIONS WITHOUT PATIENTS",
        "NO CRITIC",
        "NO LIKELIHOOD RANGE",
    ]
    assert began == [f"latentdp: warning: {line}" for line in caveats]
    assert card["warnings"] == caveats
    assert said.out.count("WARNING") == len(caveats)
    assert "UNCHECKED WEIGHTS" in (out / "release.html").read_text(encoding="utf-8")
    assert verify(out).ok
    hidden = card | {"warnings": []}
    assert [check.claim for check in verify_card(hidden) if not check.ok] == ["warnings"]
    assert command("explain", SAMPLES / "clinic-a", *call, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["warnings"] == caveats
    assert said.err.splitlines() == began


def test_python_warns_of_doubtful_weights_where_they_are_used(tmp_path):
    card = ModelCard(class_counts_train={"a": 12, "b": 400, "c": 400})
    file = tmp_path / "mine.safetensors"
    save(replace(whole_checkpoint(), card=card), file)
    with pytest.warns(WeightsWarning, match="FEW IMAGES: the weights learnt a from") as told:
        privatizer = latentdp.Privatizer.load(str(file))
    assert {warning.filename for warning in told} == {__file__}, "it points at the user's line"
    for given in ({"weights": str(file)}, {"privatizer": privatizer}):
        with pytest.warns(WeightsWarning, match="UNCHECKED") as told:
            latentdp.preview(SAMPLES / "clinic-a", **given)
        assert {warning.filename for warning in told} == {__file__}
