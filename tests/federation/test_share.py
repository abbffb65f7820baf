"""What a site sends, what it costs its patients, and what is refused."""

import json
import math
import shutil
import zipfile

import numpy as np
import pytest

from latentdp.errors import BudgetExceeded, InputError
from latentdp.federation.share import preview_share, share
from latentdp.federation.site_file import CARD, Site
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.release_contents import GENERATOR
from latentdp.synthesis.learnt_checks import learnt_checks
from latentdp.synthesis.run import synthesize
from tests.federation.hospitals import FINDINGS, shared, sums
from tests.support.folders import charges, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import PATIENTS, pictures, request, spent


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    place = tmp_path_factory.mktemp("hospital") / "north"
    return place, shared(place)


def test_a_site_charges_each_of_its_patients_once(north):
    place, file = north
    counted = charges(place)
    assert (counted["reserve"], counted["written"]) == (PATIENTS, PATIENTS)
    told = Site.read(file).generator.synthesis.guarantee
    assert {s.micro_epsilon for s in spent(place).values()} == {math.ceil(told.charged * 1e6)}


def test_its_file_says_who_signed_and_all_that_is_claimed(north):
    site = Site.read(north[1])
    assert site.card.name == "north"
    assert all(check.ok for check in learnt_checks(site.generator.synthesis))
    assert site.generator.synthesis.findings == ("a", "b")


def test_it_holds_nothing_but_the_generator_and_the_card(north):
    with zipfile.ZipFile(north[1]) as file:
        assert sorted(file.namelist()) == [GENERATOR, CARD]
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        content = file.read(GENERATOR)
        words = content[8 : 8 + int.from_bytes(content[:8], "little")] + file.read(CARD)
    for name in (b".png", b"P1", b"labels.csv", str(PATIENTS).encode() + b" patients"):
        assert name not in words


def test_sharing_again_charges_nothing_and_sends_the_same(north):
    place, file = north
    before, sent = charges(place), file.read_bytes()
    file.unlink()
    shared(place)
    assert (charges(place), file.read_bytes()) == (before, sent)


def test_what_a_hospital_synthesised_is_shared_for_nothing(tmp_path):
    """The same cohort, findings and budget: the sums were released with the generator."""
    pictures(tmp_path)
    synthesize(request(tmp_path, findings=FINDINGS), shared_flow())
    before = charges(tmp_path)
    file = shared(tmp_path)
    assert charges(tmp_path) == before
    assert len(sums(Site.read(file))) > 0


@pytest.mark.parametrize("part", ["name", "key", "generator", "signature", GENERATOR])
def test_what_was_altered_is_refused(north, tmp_path, part):
    with zipfile.ZipFile(north[1]) as file:
        card, content = json.loads(file.read(CARD)), bytearray(file.read(GENERATOR))
    if part == GENERATOR:
        content[-1] ^= 1
    else:
        last = card[part][-1]
        card[part] = card[part][:-1] + ("0" if last != "0" else "1")
    with zipfile.ZipFile(tmp_path / "x.site", "w") as file:
        file.writestr(CARD, json.dumps(card))
        file.writestr(GENERATOR, bytes(content))
    with pytest.raises(InputError, match="altered after it was signed"):
        Site.read(tmp_path / "x.site")


@pytest.mark.parametrize("content", [b"", b"PK", None])
def test_what_is_no_file_of_a_site_is_refused(north, tmp_path, content):
    path = tmp_path / "x.site"
    path.write_bytes(north[1].read_bytes()[:900] if content is None else content)
    with pytest.raises(InputError, match="expected a file of latentdp federate share"):
        Site.read(path)


@pytest.mark.parametrize(
    ("changes", "name", "message"),
    [
        ({"findings": None}, "x", "--findings"),
        ({"method": "evolve"}, "x", "in rounds"),
        ({}, "", "1 to 64 characters"),
        ({}, "a\nb", "that can be printed"),
        ({}, "x" * 65, "1 to 64 characters"),
    ],
)
def test_what_no_site_could_add_to_is_refused_before_it_is_paid(tmp_path, changes, name, message):
    pictures(tmp_path)
    with pytest.raises(InputError, match=message):
        share(request(tmp_path, "x.site", **{"findings": FINDINGS} | changes), shared_flow(), name)
    assert not (tmp_path / "vault").exists()


def test_a_budget_refuses_before_anything_is_written(tmp_path):
    pictures(tmp_path)
    asked = request(tmp_path, "x.site", findings=FINDINGS, budget=1.0)
    with pytest.raises(BudgetExceeded):
        share(asked, shared_flow(), "x")
    assert not asked.out.exists()


def test_a_preview_writes_nothing_and_tells_the_cost(tmp_path):
    pictures(tmp_path)
    before = tree(tmp_path)
    asked = request(tmp_path, "x.site", findings=FINDINGS)
    foreseen = preview_share(asked, shared_flow(), "x")
    assert tree(tmp_path) == before
    done, _ = share(asked, shared_flow(), "x")
    assert (foreseen.patients, foreseen.charged) == (done.patients, done.charged)


def test_a_seed_is_no_guarantee(tmp_path):
    pictures(tmp_path)
    asked = request(tmp_path, "x.site", findings=FINDINGS)
    share(asked, shared_flow(), "x", noise=SeededNoise(1))
    guarantee = Site.read(asked.out).generator.synthesis.guarantee
    assert not guarantee.private
    assert np.isfinite(guarantee.charged)


def test_a_file_that_is_none_of_a_site_is_not_written_over(tmp_path):
    pictures(tmp_path)
    (tmp_path / "labels.csv.site").write_text("mine")
    before = tree(tmp_path)
    asked = request(tmp_path, "labels.csv.site", findings=FINDINGS)
    for go_on in (share, preview_share):
        with pytest.raises(InputError, match="there is another one"):
            go_on(asked, shared_flow(), "north")
    assert tree(tmp_path) == before


def test_the_file_of_another_hospital_is_not_written_over_and_nobody_is_charged(north, tmp_path):
    pictures(tmp_path)
    asked = request(tmp_path, "theirs.site", findings=FINDINGS)
    shutil.copy(north[1], asked.out)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="it is another's"):
        share(asked, shared_flow(), "south")
    assert tree(tmp_path) == before
    share(request(north[0], north[1].name, findings=FINDINGS), shared_flow(), "north")  # its own
