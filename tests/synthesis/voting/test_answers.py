"""What is asked is charged once, answered once, and says of itself what it cost."""

import csv
import json
import math
import shutil

import numpy as np
import pytest
from msgspec import structs

from latentdp.core.filesystem import digest
from latentdp.errors import Aborted, BudgetExceeded, InputError
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.answers_card import AnswersCard
from latentdp.reports.guarantee_words import SEEDED
from latentdp.synthesis.run import synthesize
from latentdp.synthesis.verify import verify
from latentdp.synthesis.voting import answer as answer_module
from latentdp.synthesis.voting.answer import answer, preview_answer
from latentdp.synthesis.voting.combine import combine_answers, read_sites_answers
from latentdp.synthesis.voting.student import Student
from latentdp.synthesis.voting.verify import verify_answers
from latentdp.vault.signature import signature
from latentdp.vault.vault import Vault
from tests.support.folders import charges, go, picture_at, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import request, spent
from tests.synthesis.voting.hospital import PATIENTS, QUESTIONS, answered, asking, hospital


@pytest.fixture(scope="module")
def north(tmp_path_factory):
    """A hospital that answered; it is not to be changed."""
    place = hospital(tmp_path_factory.mktemp("votes") / "north")
    return place, answered(place, site="north")


def rows(place, out="out"):
    with (place / out / "answers.csv").open() as file:
        return list(csv.DictReader(file))


def test_every_patient_behind_the_voters_is_charged_once(north):
    place, summary = north
    counted = charges(place)
    assert (counted["reserve"], counted["written"]) == (PATIENTS, PATIENTS)
    assert 7.9 < summary.charged <= 8.0
    assert {s.micro_epsilon for s in spent(place).values()} == {math.ceil(summary.charged * 1e6)}
    assert summary.standing.releases == 1


def test_answers_name_findings_and_teach_a_student(north):
    place, summary = north
    told = rows(place)
    assert len(told) == QUESTIONS
    assert {row["label"] for row in told} <= {"a", "b"}
    assert len({row["file"] for row in told}) == QUESTIONS
    student = Student.load(place / "out" / "student.safetensors")
    assert student.findings == ("a", "b")
    images = np.random.default_rng(0).random((4, 16, 16)).astype(np.float32)
    assert student.head.probabilities(images).shape == (4, 2)
    assert summary.card.status == "complete"


def test_the_card_verifies_and_holds_no_votes(north):
    place, summary = north
    verification = verify(place / "out")
    assert verification.ok, [check for check in verification.checks if not check.ok]
    report = json.loads(summary.report.read_text())
    assert report.keys() == {"agreement", "lead", "right", "data_dependent_epsilon"}
    assert summary.report.parent == place / "vault" / "reports"
    card = (place / "out" / "answers.json").read_text()
    for private in ("agreement", "data_dependent", ".png", f"{PATIENTS} patients", "P1"):
        assert private not in card
    assert 0 < report["data_dependent_epsilon"] <= summary.guarantee.charged * 1.01


def test_the_site_has_a_number_of_its_own(north):
    guarantee = north[1].guarantee
    assert guarantee.site.voters == 5
    assert guarantee.site.epsilon > 4 * guarantee.replace_one.epsilon
    assert "all 5 voters" in guarantee.statement[2]


CHANGES = {
    "epsilon": lambda g: structs.replace(
        g, replace_one=structs.replace(g.replace_one, epsilon=1.0)
    ),
    "site": lambda g: structs.replace(g, site=structs.replace(g.site, epsilon=1.0)),
    "charged": lambda g: structs.replace(g, charged=1.0),
    "statement": lambda g: structs.replace(g, statement=()),
}


@pytest.mark.parametrize("what", [*CHANGES, "noise", "elections", "answers", "label", "signature"])
def test_a_card_that_claims_less_does_not_verify(north, tmp_path, what):
    place, _ = north
    out = tmp_path / "out"
    out.mkdir()
    for path in (place / "out").iterdir():
        (out / path.name).write_bytes(path.read_bytes())
    card = AnswersCard.find(out)
    if what in CHANGES:
        card = structs.replace(card, guarantee=CHANGES[what](card.guarantee))
    if what == "noise":
        noise = structs.replace(card.noise, parameter=card.noise.parameter // 2)
        card = structs.replace(card, noise=noise)
    if what == "elections":
        card = structs.replace(card, noise=structs.replace(card.noise, elections=1))
    if what == "signature":
        card = structs.replace(card, name="south")
    if what in ("answers", "label"):
        with (out / "answers.csv").open("a") as file:
            file.write("x.png,a\n" if what == "answers" else "x.png,zebra\n")
    (out / "answers.json").write_text(json.dumps(card.to_json()))
    assert not verify_answers(out).ok


def test_again_it_charges_nothing_and_writes_the_same(north):
    place, _ = north
    before, charged = tree(place / "out"), charges(place)
    again = answered(place, site="north")
    assert again.already
    assert again.charged == 0
    assert tree(place / "out") == before
    assert answered(place, "elsewhere", site="north").charged == 0
    assert rows(place, "elsewhere") == rows(place)
    assert charges(place) == charged


@pytest.mark.parametrize("where", ["draw", "kept", "finish", "write"])
def test_a_run_that_dies_is_gone_on_with_and_answers_once_for_one_charge(
    tmp_path, monkeypatch, where
):
    place = hospital(tmp_path)

    def die(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if where == "draw":
            patched.setattr(answer_module.AnswerJob, "counts", die)
        if where == "kept":
            patched.setattr(answer_module, "write_json", die)
        if where == "finish":
            patched.setattr(answer_module, "_finish", die)
        if where == "write":
            patched.setattr(Student, "save", die)
        with pytest.raises(Aborted):
            answered(place)
    assert charges(place)["reserve"] == PATIENTS
    kept = {p.name: p.read_bytes() for p in (place / "vault" / "votes").glob("answers-*")}
    assert bool(kept) == (where in ("finish", "write"))
    assert answered(place).charged == 0
    counted = charges(place)
    assert (counted["reserve"], counted["written"]) == (PATIENTS, PATIENTS)
    assert all((place / "vault" / "votes" / n).read_bytes() == c for n, c in kept.items())
    assert verify(place / "out").ok


def test_what_was_answered_and_is_lost_is_not_answered_again_for_nothing(tmp_path):
    place = hospital(tmp_path)
    answered(place)
    for file in (place / "vault" / "votes").glob("answers-*"):
        file.unlink()
    with pytest.raises(InputError, match="gone from the vault"):
        answered(place, "other")
    assert charges(place)["reserve"] == PATIENTS


def test_other_questions_are_charged_anew_with_all_else_from_the_vault(tmp_path):
    place = hospital(tmp_path)
    answered(place)
    answered(place, "b", questions=QUESTIONS - 1)
    answered(place, "c", aggregator="laplace")
    synthesize(request(place, "d", findings="a;b"), shared_flow())
    balance = set(spent(place).values())
    assert len(balance) == 1
    assert next(iter(balance)).releases == 4
    with pytest.raises(BudgetExceeded):
        answered(place, "e", epsilon=1.0, budget=30.0)
    assert not (place / "e").exists()


def test_a_picture_of_nobody_has_one_account_with_its_patient(tmp_path):
    """Pictures name no patient: their release by itself and their vote add up."""
    place = hospital(tmp_path, 5)
    answered(place)
    picture_at(place / "one" / "x.png", 0)
    go(place, "single", "one")
    assert sorted(s.releases for s in spent(place).values()) == [1, 1, 1, 1, 2]


def test_each_finding_is_an_election_and_all_are_paid_for(tmp_path):
    place = hospital(tmp_path)
    one = preview_answer(asking(place))
    each = answered(place, ballot="each")
    assert (one.elections, each.elections) == (QUESTIONS, 2 * QUESTIONS)
    assert each.sure_lead > one.sure_lead
    assert {row["label"] for row in rows(place)} <= {"", "a", "b", "a;b"}
    assert verify(place / "out").ok


def test_with_a_large_budget_answers_are_those_of_the_voters(tmp_path):
    place = hospital(tmp_path)
    summary = answered(place, epsilon=100_000.0)
    report = json.loads(summary.report.read_text())
    assert report["right"] == 1.0
    assert "WEAK" in " ".join(summary.warnings)


def test_a_preview_writes_nothing_and_tells_the_cost(tmp_path):
    place = hospital(tmp_path)
    before = tree(place)
    foreseen = preview_answer(asking(place))
    assert tree(place) == before
    done = answered(place)
    assert (foreseen.charged, foreseen.standing) == (done.charged, done.standing)
    assert preview_answer(asking(place)).charged == 0


def test_a_seed_is_no_guarantee(tmp_path):
    place = hospital(tmp_path)
    summary = answer(asking(place), noise=SeededNoise(1))
    assert SEEDED in summary.card.warnings
    assert not verify(place / "out").ok


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"questions": 99}, "give a smaller --questions"),
        ({"questions": 0}, "1 to 100,000 questions"),
        ({"ballot": "secret"}, "one or each"),
        ({"aggregator": "magic"}, "there are: exponential"),
        ({"epsilon": math.nan}, "expected epsilon"),
        ({"delta": 2.0}, "expected delta"),
        ({"name": "others"}, "latentdp vote train"),
        ({"budget": -1.0}, "positive budget"),
        ({"site": "a\x1b[2J"}, "can be printed"),
        ({"site": "x" * 65}, "1 to 64"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is_paid(north, changes, message):
    place, _ = north
    before = charges(place)
    with pytest.raises(InputError, match=message):
        answered(place, "refused", **changes)
    assert charges(place) == before
    assert not (place / "refused").exists()


def test_folders_are_not_mixed(north, tmp_path):
    place, _ = north
    with pytest.raises(InputError, match="no such vault"):
        asking(place, vault=tmp_path / "none")
    with pytest.raises(InputError, match="must not lie inside"):
        asking(place, "queries/out")
    (place / "full").mkdir(exist_ok=True)
    (place / "full" / "x.txt").write_text("mine")
    with pytest.raises(InputError, match="holds other files"):
        answered(place, "full")
    before = charges(place)
    for ask in (answer, preview_answer):
        with pytest.raises(InputError, match="holds other answers"):
            ask(asking(place, questions=2))
    assert charges(place) == before


@pytest.mark.parametrize("table", [b"x,y\n1,2\n", b"\xff\xfe", b""])
def test_an_altered_table_of_answers_is_a_claim_that_does_not_hold(north, tmp_path, table):
    shutil.copytree(north[0] / "out", tmp_path / "out")
    (tmp_path / "out" / "answers.csv").write_bytes(table)
    failed = [check.claim for check in verify(tmp_path / "out").checks if not check.ok]
    assert failed == ["digest of answers.csv"]


def test_a_card_with_a_ballot_of_its_own_is_refused_in_a_line(north, tmp_path):
    values = AnswersCard.find(north[0] / "out").to_json()
    values["recipe"]["ballot"] = "secret"
    (tmp_path / "answers.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match="one or each"):
        verify(tmp_path / "answers.json")


def test_the_same_picture_twice_is_asked_about_once(tmp_path):
    place = hospital(tmp_path)
    for number in range(QUESTIONS):
        picture_at(place / "queries" / f"again{number}.png", 100 + number)
    answered(place)
    assert (
        len({row["file"].removeprefix("again").removeprefix("q") for row in rows(place)})
        == QUESTIONS
    )


@pytest.fixture(scope="module")
def sites(north, tmp_path_factory):
    """Three hospitals that were asked the same, the first of which is `north`."""
    folder = tmp_path_factory.mktemp("sites")
    for number, name in enumerate(("south", "west"), 1):
        place = hospital(folder / name)
        answered(place, site=name, epsilon=8.0 / (number + 1))
    return [north[0] / "out", folder / "south" / "out", folder / "west" / "out"]


def test_sites_that_share_only_answers_decide_together(sites, tmp_path):
    read = read_sites_answers(sites)
    card = combine_answers(read, tmp_path / "all")
    assert verify(tmp_path / "all").ok
    assert [site.name for site in card.sites] == ["north", "south", "west"]
    assert card.guarantee.charged == max(site.card.guarantee.charged for site in read)
    told = np.array([site.answers for site in read])
    for i, row in enumerate(rows(tmp_path, "all")):
        assert told[:, i, ("a", "b").index(row["label"])].sum() >= 2
    before = tree(tmp_path)
    combine_answers(read_sites_answers(sites), tmp_path / "all")
    assert tree(tmp_path) == before
    student = Student.load(tmp_path / "all" / "student.safetensors")
    mean = np.mean([site.student.head.weights for site in read], axis=0)
    assert np.allclose(student.head.weights, mean)


def test_answers_that_do_not_fit_together_are_refused(sites, tmp_path):
    north, south, _ = sites
    with pytest.raises(InputError, match="at least 2 sites"):
        read_sites_answers([north])
    with pytest.raises(InputError, match="expected a folder"):
        read_sites_answers([north, south / "answers.json"])
    with pytest.raises(InputError, match="come from the vault"):
        read_sites_answers([north, north])
    with pytest.raises(InputError, match="none that you trust"):
        read_sites_answers([north, south], ["00" * 32])
    place = hospital(tmp_path / "odd")
    answered(place, site="odd", questions=2)
    with pytest.raises(InputError, match="other questions"):
        read_sites_answers([north, place / "out"])
    answered(place, "nameless")
    with pytest.raises(InputError, match="--site NAME"):
        read_sites_answers([north, place / "nameless"])
    odd = structs.replace(
        AnswersCard.find(place / "out"), student=of_other_findings(place / "out")
    )
    sign(place, odd)
    with pytest.raises(InputError, match="reads other findings"):
        read_sites_answers([north, place / "out"])
    card = AnswersCard.find(place / "out")
    lie = structs.replace(card, guarantee=structs.replace(card.guarantee, charged=0.1))
    (place / "out" / "answers.json").write_text(json.dumps(lie.to_json()))
    with pytest.raises(InputError, match="does not hold"):
        read_sites_answers([north, place / "out"])


def test_a_site_whose_name_would_write_on_the_terminal_is_refused(sites, tmp_path):
    place = hospital(tmp_path)
    answered(place, site="odd")
    sign(place, structs.replace(AnswersCard.find(place / "out"), name="a\x1b[2J"))
    with pytest.raises(InputError, match="can be printed"):
        read_sites_answers([sites[0], place / "out"])


def test_a_site_whose_table_has_another_order_is_refused(sites, tmp_path):
    place = hospital(tmp_path)
    answered(place, site="odd")
    table = place / "out" / "answers.csv"
    header, *lines = table.read_text().splitlines()
    table.write_text("\n".join([header, *reversed(lines)]) + "\n")
    sign(place, structs.replace(AnswersCard.find(place / "out"), answers=digest(table)))
    assert verify(place / "out").ok
    with pytest.raises(InputError, match="other questions"):
        read_sites_answers([sites[0], place / "out"])


def of_other_findings(out):
    """Puts a student there who reads one finding, and gives its digest."""
    student = Student.load(out / "student.safetensors")
    one = student.head.with_weights(student.head.weights[:1])
    Student(one, ("a",)).save(out / "student.safetensors")
    return digest(out / "student.safetensors")


def sign(place, card):
    """As the site itself would, who may send what it likes."""
    keys = Vault(place / "vault", read_only=True)
    signed = structs.replace(card, signature=signature(keys, card.signed))
    (place / "out" / "answers.json").write_text(json.dumps(signed.to_json()))


def test_a_student_has_a_name_for_each_finding(north):
    student = Student.load(north[0] / "out" / "student.safetensors")
    with pytest.raises(InputError, match="a name for each finding"):
        Student(student.head, ("a",))
