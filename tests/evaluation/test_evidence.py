"""A claim on evidence: only of this vault, these weights, this recipe and just these files."""

import json
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from msgspec import UNSET, structs

from latentdp import InputError, Recipe
from latentdp.evaluation.evidence import evidence
from latentdp.evaluation.population import population, sources_digest
from latentdp.evaluation.signature import is_signed, signed
from latentdp.evaluation.verdict import judged
from latentdp.models.checkpoints import load
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_parts import (
    EvaluatedRelease,
    JudgedClaim,
    StatedPopulation,
    Verdict,
)
from latentdp.vault.keys import KEY_BYTES, Keys
from latentdp.vault.vault import Vault
from tests.support.judged import supporting
from tests.support.places import SAMPLES

KEYS = Keys(bytes(range(KEY_BYTES)))


def evaluation_of(made_by: Recipe, inputs: list[Path], keys: Keys, **changes) -> Evaluation:
    """An evaluation of a release of these files that supports the claim, signed as it is."""
    of = judged(
        supporting(
            recipe=made_by.pixels_digest,
            release=EvaluatedRelease(
                release="00" * 8,
                card_sha256="00" * 32,
                weights_sha256=made_by.weights_sha256,
                vault=keys.tag,
            ),
            population=StatedPopulation(
                files=len(inputs), patients=2, sources=sources_digest(inputs, keys)
            ),
        )
    )
    return signed(structs.replace(of, **changes), keys)


@pytest.fixture
def inputs(tmp_path) -> list[Path]:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_bytes(bytes([i]) * 100)
    return sorted(folder.iterdir())


@pytest.fixture
def recipe() -> Recipe:
    return Recipe.from_preset("balanced", label="none").with_weights("ab" * 32)


def written(of: Evaluation, path: Path) -> Path:
    path.write_text(json.dumps(of.to_json()))
    return path


def test_evidence_is_quoted(recipe, inputs, tmp_path):
    path = written(evaluation_of(recipe, inputs, KEYS), tmp_path / "evaluation.json")
    words = evidence(path, recipe, KEYS, inputs)
    assert "1,000 images of 700 patients" in words
    assert "of the same 3 files" in words
    assert "AUC 0.520" in words
    assert "AUC at most 0.6" in words
    other = replace(recipe, profile=replace(recipe.profile, shift_dates=True, size=256))
    assert evidence(path, other, KEYS, inputs) == words, "headers do not change pixels"
    assert evidence(path, recipe, KEYS, inputs[::-1]) == words, "a set of files has no order"


def test_names_of_files_do_not_count_and_contents_do(inputs, tmp_path):
    digest = sources_digest(inputs, KEYS)
    renamed = inputs[0].rename(tmp_path / "other.png")
    assert sources_digest([renamed, *inputs[1:]], KEYS) == digest
    assert sources_digest([renamed, *inputs[1:]], Keys(bytes(KEY_BYTES))) != digest
    assert sources_digest([renamed, renamed, *inputs[1:]], KEYS) != digest
    renamed.write_bytes(b"another")
    assert sources_digest([renamed, *inputs[1:]], KEYS) != digest


@pytest.mark.parametrize("change", ["one less", "one more", "another"])
def test_evidence_of_another_cohort_is_refused(recipe, inputs, tmp_path, change):
    path = written(evaluation_of(recipe, inputs, KEYS), tmp_path / "evaluation.json")
    more = tmp_path / "more.png"
    more.write_bytes(b"somebody else")
    others = {
        "one less": inputs[1:],
        "one more": [*inputs, more],
        "another": [*inputs[1:], more],
    }
    with pytest.raises(InputError, match="another population, of 3 files"):
        evidence(path, recipe, KEYS, others[change])


def test_evidence_of_another_recipe_or_other_weights_is_refused(recipe, inputs, tmp_path):
    path = written(evaluation_of(recipe, inputs, KEYS), tmp_path / "evaluation.json")
    with pytest.raises(InputError, match="another recipe"):
        evidence(path, replace(recipe, epsilon=9.0), KEYS, inputs)
    with pytest.raises(InputError, match="by other weights, with which it expired"):
        evidence(path, recipe.with_weights("cd" * 32), KEYS, inputs)


def test_evidence_without_the_signature_of_this_vault_is_refused(recipe, inputs, tmp_path):
    of = evaluation_of(recipe, inputs, KEYS)
    path = tmp_path / "evaluation.json"
    written(structs.replace(of, signature=UNSET), path)
    with pytest.raises(InputError, match="not, as evaluations of before are not: evaluate"):
        evidence(path, recipe, KEYS, inputs)
    written(of, path)
    with pytest.raises(InputError, match="not signed by this vault, or was changed"):
        evidence(path, recipe, Keys(bytes(KEY_BYTES)), inputs)
    written(supporting(recipe=recipe.pixels_digest), path)
    with pytest.raises(InputError, match="evaluate the release again"):
        evidence(path, recipe, KEYS, inputs)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 9},
        {"outcomes": supporting(auc=(0.5, 0.4, 0.51)).outcomes},
        {"recipe": "00"},
        {"population": StatedPopulation(files=3, patients=2, sources="00")},
        {"quick": True},
        {"verdict": Verdict(refuted=False)},
    ],
)
def test_whatever_is_changed_ends_the_signature(recipe, inputs, tmp_path, change):
    of = evaluation_of(recipe, inputs, KEYS)
    assert is_signed(of, KEYS)
    assert is_signed(Evaluation.from_json(json.loads(json.dumps(of.to_json()))), KEYS)
    changed = structs.replace(of, **change)
    assert not is_signed(changed, KEYS)
    with pytest.raises(InputError, match="or was changed"):
        evidence(written(changed, tmp_path / "e.json"), recipe, KEYS, inputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quick": True}, "does not support"),
        (
            {"outcomes": supporting(auc=(0.7, 0.6, 0.8)).outcomes},
            "does not support the claim: AUC 0.700",
        ),
        (
            {
                "verdict": Verdict(
                    refuted=False,
                    claims=(JudgedClaim(claim="", holds=True, threshold="", measured=""),),
                ),
                "outcomes": (),
            },
            "does not support",
        ),
        ({"recipe": "00"}, "another recipe"),
        ({"recipe": None}, "another recipe"),
        ({"cohort": UNSET}, "expected --evidence"),
        ({"release": UNSET}, "expected --evidence"),
        ({"population": UNSET}, "expected --evidence"),
    ],
)
def test_a_signature_alone_is_no_evidence(recipe, inputs, tmp_path, change, message):
    of = evaluation_of(recipe, inputs, KEYS, **change)
    with pytest.raises(InputError, match=message):
        evidence(written(of, tmp_path / "evaluation.json"), recipe, KEYS, inputs)


@pytest.mark.parametrize(
    "change",
    [
        {"thresholds": {"auc": 1.0, "first": 1.0}},
        {"kind": "comparison"},
        {"cohort": {}},
        {"outcomes": 7},
    ],
)
def test_what_is_no_evaluation_is_refused(recipe, inputs, tmp_path, change):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(evaluation_of(recipe, inputs, KEYS).to_json() | change))
    with pytest.raises(InputError, match="expected --evidence"):
        evidence(path, recipe, KEYS, inputs)


def test_a_release_on_evidence_says_so(command, tmp_path, capsys):
    recipe = Recipe.from_preset("balanced", label="none")
    recipe = recipe.with_weights(load("cxr-adult").sha256)
    one, vault = SAMPLES / "clinic-b" / "IM0001", tmp_path / "vault"
    keys = Vault(vault)
    path = written(evaluation_of(recipe, [one], keys), tmp_path / "evaluation.json")
    out, given = tmp_path / "out", ("--vault", vault, "--evidence", path)
    assert command("privatize", one, out, *given) == 0
    (output,) = (out / "images").iterdir()
    ds = pydicom.dcmread(output)
    assert ds.RecognizableVisualFeatures == "NO"
    assert "113102" in [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]
    (claim,) = json.loads((out / "release.json").read_text())["claims"]
    assert "AUC 0.520" in claim["evidence"]
    assert command("verify", out) == 0
    measured = population(one, vault, keys)
    assert measured.sources == sources_digest([one], keys), "as an evaluation would state it"
    assert (measured.files, measured.patients) == (1, 1)
    capsys.readouterr()
    other = SAMPLES / "clinic-a"
    for arguments, message in (
        ((one, tmp_path / "o2", *given, "--epsilon", 9), "another recipe"),
        ((other, tmp_path / "o2", *given), "another population"),
        ((one, tmp_path / "o2", "--evidence", path), "--vault"),
    ):
        assert command("privatize", *arguments) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "o2").exists()
