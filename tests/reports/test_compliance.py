"""The manifest names what was done, hides nothing that is passed on, and cannot be changed."""

import json
import shutil

import pytest
from msgspec import structs

from latentdp import InputError, Privatizer, Recipe
from latentdp.data.dicom.profile import Profile
from latentdp.release.privatize import privatize_folder
from latentdp.release.verify import verify
from latentdp.reports.compliance import COMPLIANCE, ComplianceManifest
from latentdp.reports.compliance_actions import release_manifest
from latentdp.reports.release_card import ReleaseCard
from latentdp.reports.release_page import write_public_page
from tests.support.folders import go, picture_at, radiograph_at
from tests.support.tiny_flow import shared_flow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("compliance")
    radiograph_at(place / "in" / "0.dcm", 0)
    picture_at(place / "in" / "1.png", 1)
    go(place)
    return place / "out"


@pytest.fixture
def out(made, tmp_path):
    return shutil.copytree(made, tmp_path / "out")


def failed(out):
    return {check.claim for check in verify(out).checks if not check.ok}


def test_the_manifest_is_a_chain_whose_head_is_on_card_and_page(made):
    manifest, card = ComplianceManifest.read(made / COMPLIANCE), ReleaseCard.find(made)
    assert card is not None
    assert manifest.whole
    assert manifest.head == card.compliance == manifest.entries[-1].sha256
    assert manifest.entries[1].previous == manifest.entries[0].sha256
    assert manifest.release == card.release
    assert card.compliance in (made / "release.html").read_text(encoding="utf-8")
    assert failed(made) == set()
    for entry in manifest.entries:
        assert entry.what
        assert entry.checked_by
        assert entry.gdpr
        assert entry.hipaa


def change(entries, number, **values):
    return tuple(
        structs.replace(entry, **values) if entry.number == number else entry for entry in entries
    )


@pytest.mark.parametrize(
    "harm",
    [
        lambda m: structs.replace(m, entries=change(m.entries, 2, what="All is well.")),
        lambda m: structs.replace(m, entries=m.entries[:3] + m.entries[4:]),
        lambda m: structs.replace(m, entries=m.entries[::-1]),
        lambda m: structs.replace(m, release="0" * 16),
        lambda m: structs.replace(m, entries=m.entries[:-1]),
    ],
)
def test_whoever_changes_it_is_found(out, harm):
    manifest = harm(ComplianceManifest.read(out / COMPLIANCE))
    (out / COMPLIANCE).write_text(json.dumps(manifest.to_json()))
    assert failed(out) & {
        "chain of the compliance manifest",
        "head of the compliance manifest",
    }
    assert "actions of the compliance manifest" in failed(out)


@pytest.mark.promise(
    "The compliance manifest follows from the card: one that leaves out what an option passes on "
    "is found by `latentdp verify`, even where its chain was made anew."
)
def test_a_chain_that_was_made_anew_over_other_actions_is_found(out):
    manifest = ComplianceManifest.read(out / COMPLIANCE)
    anew = ComplianceManifest.of(
        manifest.entries[:-1],
        version=manifest.version,
        release=manifest.release,
        recipe=manifest.recipe,
    )
    (out / COMPLIANCE).write_text(json.dumps(anew.to_json()))
    card = json.loads((out / "release.json").read_text()) | {"compliance": anew.head}
    (out / "release.json").write_text(json.dumps(card))
    write_public_page(out)
    assert failed(out) == {"actions of the compliance manifest"}


def test_a_manifest_that_is_gone_or_none_is_found(out):
    (out / COMPLIANCE).write_text("{}")
    assert failed(out) == {"compliance manifest"}
    with pytest.raises(InputError):
        ComplianceManifest.read(out / COMPLIANCE)
    (out / COMPLIANCE).unlink()
    assert failed(out) == {"compliance manifest"}


def test_a_card_of_0_1_names_none_and_verify_says_so(out):
    card = json.loads((out / "release.json").read_text())
    del card["compliance"]
    (out / "release.json").write_text(json.dumps(card))
    (out / COMPLIANCE).unlink()
    write_public_page(out)
    assert failed(out) == set()
    assert any(COMPLIANCE in line for line in verify(out).not_checked)
    (out / COMPLIANCE).write_text("{}")
    assert failed(out) == {"compliance manifest"}, "nobody slips one in beside an old card"


OPTIONS = {
    "dates-shifted": {"shift_dates": True},
    "characteristics-retained": {"retain_characteristics": True},
    "device-retained": {"retain_device": True},
}


@pytest.mark.parametrize("action", OPTIONS)
def test_what_an_option_passes_on_is_an_action_that_says_so(action, tmp_path):
    radiograph_at(tmp_path / "in" / "0.dcm", 0)
    recipe = Recipe.from_preset("strict", profile=Profile(**OPTIONS[action]))
    privatize_folder(
        tmp_path / "in",
        tmp_path / "out",
        privatizer=Privatizer(shared_flow(), recipe),
        vault=tmp_path / "vault",
        layout="mirror",
    )
    entries = ComplianceManifest.read(tmp_path / "out" / COMPLIANCE).entries
    assert [e.action for e in entries if e.passes_on] == [action, "names-mirrored"]
    (ours,) = [e for e in entries if e.action == action]
    assert ours.attributes
    assert "E.3" in ours.dicom[0]


def test_every_attribute_of_an_output_is_in_an_action(made):
    card = ReleaseCard.find(made)
    assert card is not None
    named = {name for entry in release_manifest(card).entries for name in entry.attributes}
    assert named == set(card.header)


def test_it_is_no_more_than_the_card_says(made):
    """Made from the card alone, with nothing else at hand, it is the same to the last byte."""
    card = ReleaseCard.from_json(json.loads((made / "release.json").read_text()))
    text = json.dumps(release_manifest(card).to_json(), indent=2) + "\n"
    assert (made / COMPLIANCE).read_text() == text
