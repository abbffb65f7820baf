"""Hospitals that train a head over rounds: what it costs, what it is worth, and who is refused."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec import structs

from latentdp.core.documents import to_json
from latentdp.errors import BudgetExceeded, InputError
from latentdp.federation.rounds import respond
from latentdp.federation.rounds.answer import RoundAnswer
from latentdp.federation.rounds.ask import ask, begin
from latentdp.federation.rounds.question import RoundQuestion, answer_name, question_name
from latentdp.federation.rounds.request import RoundsRequest
from latentdp.federation.rounds.respond import Answered, answer_rounds, preview_rounds
from latentdp.privacy.gaussian_accountant import GaussianAccountant, Rounds, epsilon_of
from latentdp.privacy.guarantee import Relation
from latentdp.privacy.noise import SeededNoise
from latentdp.private_training.accounting import noise_of
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.describe import guarantee_of_recipe
from latentdp.private_training.finding_reader import load_classifier
from latentdp.private_training.methods.base import method_of
from latentdp.private_training.several_sites import joined_training
from latentdp.private_training.verify import verify
from latentdp.release.verification.check import CALIBRATION
from latentdp.reports.training_card import PrivateTraining
from latentdp.synthesis.head import HeadData, descend, start
from latentdp.synthesis.public import PublicModel
from latentdp.vault.signature import signature
from latentdp.vault.vault import Vault
from tests.support.folders import charges, tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import PATIENTS, pictures, spent

FINDINGS, STUDY, ROUNDS = "a;b", "chests 2026", 3
NAMES = ("north", "south", "west")


def asked(place: Path, **changes) -> RoundsRequest:
    """What the steward of a hospital agreed to."""
    (place / "folder").mkdir(parents=True, exist_ok=True)
    if not (place / "in").exists():
        pictures(place)
    options = {
        "source": place / "in",
        "out": place / "folder",
        "labels": place / "labels.csv",
        "vault": place / "vault",
        "epsilon": 4.0,
        "findings": FINDINGS,
        "study": STUDY,
        "rounds": ROUNDS,
        "name": place.name,
    } | changes
    return RoundsRequest(**options)


def started(place: Path, **changes) -> Path:
    options = {"study": STUDY, "findings": FINDINGS, "rounds": ROUNDS} | changes
    begin(place / "lead", shared_flow(), **options)
    return place / "lead"


def carried(question: Path, place: Path, number: int, **changes) -> Answered:
    """A question comes to a hospital, and its answer back."""
    request = asked(place, **changes)
    shutil.copy(question, request.out / question_name(number))
    done = answer_rounds(request, shared_flow())
    shutil.copy(request.out / answer_name(number), question.parent / f"{place.name}.answer.json")
    return done


def rounds(place: Path, present: dict[int, tuple[str, ...]]) -> Path:
    """All rounds, each with these hospitals."""
    lead = started(place)
    for number in range(1, ROUNDS + 1):
        question = ask(lead).question
        for name in present.get(number, NAMES):
            carried(question, place / name, number)
    return ask(lead).classifier


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished study, not to be changed: west is away in the second round."""
    place = tmp_path_factory.mktemp("study")
    return place, rounds(place, {2: NAMES[:2]})


def test_rounds_end_with_a_classifier_that_verifies_and_says_who_answered_what(done):
    file = done[1]
    verification = verify(file)
    assert verification.ok, [check.claim for check in verification.checks if not check.ok]
    training = Classifier.load(file).training
    assert {site.name: site.rounds for site in training.sites} == {
        "north": (1, 2, 3),
        "south": (1, 2, 3),
        "west": (1, 3),
    }
    assert (training.model, training.findings) == ("federated", ("a", "b"))
    reader = load_classifier(file)
    found = reader(np.random.default_rng(0).random((3, 16, 16)).astype(np.float32))
    assert found.shape == (3, 2)


def test_each_patient_is_charged_once_for_all_rounds(done):
    place, _ = done
    for name in NAMES:
        counted = charges(place / name)
        assert (counted["reserve"], counted["written"]) == (PATIENTS, PATIENTS)
        assert {s.micro_epsilon for s in spent(place / name).values()} <= {4_000_000}


def test_the_site_as_the_unit_costs_what_a_group_of_all_its_patients_does(done):
    training = Classifier.load(done[1]).training
    for site in training.sites:
        parts = [Rounds(noise_of(r), r.rounds) for r in site.training.releases]
        mu = GaussianAccountant(parts).mu(Relation.REPLACE_ONE)
        assert site.whole.patients == 100 >= PATIENTS
        assert site.whole.epsilon == pytest.approx(epsilon_of(100 * mu, 1e-5), rel=1e-6)
        assert site.whole.epsilon > 100 * site.training.guarantee.charged
    assert "If the site were the unit" in training.guarantee.statement[-1]


def test_a_patient_is_charged_exactly_what_rounds_of_gaussian_noise_compose_to(done):
    for site in Classifier.load(done[1]).training.sites:
        count, gradients = site.training.releases
        assert (count.rounds, gradients.rounds) == (1, ROUNDS)
        mu = np.hypot(
            2 * count.grid / count.scale, np.sqrt(ROUNDS) * 2 * gradients.grid / gradients.scale
        )
        charged = site.training.guarantee.charged
        assert charged == pytest.approx(epsilon_of(mu, 1e-5), rel=1e-6)
        assert 4.0 * (1 - CALIBRATION) <= charged <= 4.0


def test_a_hospital_that_comes_back_sends_the_same_answers_and_draws_none(done):
    request = asked(done[0] / "north")
    sent = {n: (request.out / answer_name(n)).read_bytes() for n in range(1, ROUNDS + 1)}
    before = charges(done[0] / "north")
    for number in sent:
        (request.out / answer_name(number)).unlink()
    again = answer_rounds(request, shared_flow())
    assert (again.rounds, again.summary.charged) == ((1, 2, 3), 0.0)
    assert {n: (request.out / answer_name(n)).read_bytes() for n in sent} == sent
    assert charges(done[0] / "north") == before


def test_a_round_is_never_answered_to_a_second_question(tmp_path):
    question = ask(started(tmp_path)).question
    carried(question, tmp_path / "north", 1)
    answer = tmp_path / "north" / "folder" / answer_name(1)
    before = answer.read_bytes()
    first = RoundQuestion.read(question)
    weights = tuple(tuple(weight + 1 for weight in row) for row in first.weights)
    question.write_text(json.dumps(to_json(structs.replace(first, weights=weights))))
    with pytest.raises(InputError, match="answered before, to another question"):
        carried(question, tmp_path / "north", 1)
    assert answer.read_bytes() == before


def test_an_answer_is_kept_before_it_is_sent(tmp_path, monkeypatch):
    """Killed in between, the site sends what it drew."""
    lead = started(tmp_path)
    question = ask(lead).question
    sent = []

    def killed(source, target):
        sent.append(Path(source).read_bytes())
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(respond, "shutil", SimpleNamespace(copyfile=killed))
        with pytest.raises(KeyboardInterrupt):
            carried(question, tmp_path / "north", 1)
    assert not (tmp_path / "north" / "folder" / answer_name(1)).exists()
    carried(question, tmp_path / "north", 1)
    assert [(tmp_path / "north" / "folder" / answer_name(1)).read_bytes()] == sent


def test_an_answer_that_the_vault_lost_is_not_drawn_again(tmp_path):
    lead = started(tmp_path)
    question = ask(lead).question
    carried(question, tmp_path / "north", 1)
    (kept,) = (tmp_path / "north" / "vault" / "rounds").glob("*.0001.json")
    kept.unlink()
    with pytest.raises(InputError, match="none that the vault keeps"):
        carried(question, tmp_path / "north", 1)
    (tmp_path / "north" / "folder" / answer_name(1)).unlink()
    for file in (tmp_path / "north" / "vault" / "rounds").iterdir():
        file.unlink()
    with pytest.raises(InputError, match="is gone from the vault"):
        carried(question, tmp_path / "north", 1)


def test_other_options_are_refused_before_they_are_charged(tmp_path):
    question = ask(started(tmp_path)).question
    carried(question, tmp_path / "north", 1)
    before = charges(tmp_path / "north")
    with pytest.raises(InputError, match="give those of before"):
        carried(question, tmp_path / "north", 1, epsilon=2.0)
    assert charges(tmp_path / "north") == before


def test_a_cohort_that_changed_in_the_middle_is_not_charged_again(tmp_path):
    """Not even where the transport took the first answer away."""
    lead, north = started(tmp_path), tmp_path / "north"
    carried(ask(lead).question, north, 1)
    for file in (north / "folder").iterdir():
        file.unlink()
    before = charges(north)
    first = min((north / "in").iterdir())
    first.rename(tmp_path / "away")
    second = ask(lead).question
    with pytest.raises(InputError, match="would charge all patients once more"):
        carried(second, north, 2)
    with pytest.raises(InputError, match="would charge all patients once more"):
        preview_rounds(asked(north), shared_flow())
    assert charges(north) == before
    (tmp_path / "away").rename(first)
    assert carried(second, north, 2).rounds == (2,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"study": "another"}, "of another study"),
        ({"rounds": ROUNDS + 1}, "of another number of rounds"),
        ({"findings": ("a", "c")}, "of another list of findings"),
        ({"flow": "f" * 64}, "of another flow"),
        ({"round": 2}, "of another round"),
        ({"round": 0}, "expected one of 3 rounds"),
        ({"weights": ((0.0,) * 65,)}, "a row of weights for each finding"),
        ({"weights": ((0.0,) * 65, (0.0,) * 64)}, "a row of weights for each finding"),
        ({"weights": ((0.0,) * 60, (0.0,) * 60)}, "thumbnails of"),
        ({"weights": ((1e300,) * 65, (0.0,) * 65)}, "finite"),
    ],
)
def test_a_question_that_was_not_agreed_to_costs_nobody_anything(tmp_path, change, message):
    question = ask(started(tmp_path)).question
    altered = structs.replace(RoundQuestion.read(question), **change)
    question.write_text(json.dumps(to_json(altered)))
    with pytest.raises(InputError, match=message):
        carried(question, tmp_path / "north", 1)
    assert not (tmp_path / "north" / "vault").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"tool": "latentdp"}', "NaN", "[" * 100_000], ids=range(6)
)
def test_what_is_no_question_is_refused(tmp_path, text):
    request = asked(tmp_path / "north")
    (request.out / question_name(1)).write_text(text)
    with pytest.raises(InputError, match="a question of latentdp federate ask"):
        answer_rounds(request, shared_flow())
    assert not (tmp_path / "north" / "vault").exists()


def test_no_question_is_no_charge(tmp_path):
    with pytest.raises(InputError, match="expected a question in FOLDER"):
        answer_rounds(asked(tmp_path / "north"), shared_flow())
    assert not (tmp_path / "north" / "vault").exists()


def test_a_budget_refuses_before_anything_is_drawn(tmp_path):
    question = ask(started(tmp_path)).question
    with pytest.raises(BudgetExceeded):
        carried(question, tmp_path / "north", 1, budget=1.0)
    assert not (tmp_path / "north" / "folder" / answer_name(1)).exists()


def test_a_preview_tells_the_cost_of_all_rounds_and_writes_nothing(tmp_path):
    request = asked(tmp_path / "north")
    before = tree(tmp_path)
    foreseen = preview_rounds(request, shared_flow())
    assert tree(tmp_path) == before
    question = ask(started(tmp_path)).question
    assert foreseen.charged == carried(question, tmp_path / "north", 1).summary.charged


@pytest.fixture
def answered(tmp_path):
    """The open first round, which north and south have answered."""
    lead = started(tmp_path)
    question = ask(lead).question
    for name in NAMES[:2]:
        carried(question, tmp_path / name, 1)
    return lead


def rewritten(file: Path, **changes) -> None:
    values = json.loads(file.read_text())
    file.write_text(json.dumps(values | changes))


@pytest.mark.parametrize(
    "changes", [{"sums": [0.0] * 130}, {"patients": 1.001}, {"name": "x"}, {"signature": "00"}]
)
def test_an_answer_that_was_altered_is_left_out_and_stops_nobody(answered, changes):
    """Each to what no answer says: a noisy count of few patients may well come out as 1."""
    rewritten(answered / "round-0001" / "north.answer.json", **changes)
    after = ask(answered)
    assert after.round == 2
    closed = json.loads((answered / "round-0001" / "closed.json").read_text())
    assert list(closed["answers"]) == ["south.answer.json"]


@pytest.mark.parametrize("key", ["", "0" * 63, "A" * 64, "0" * 64 + "\n"])
def test_a_key_to_trust_that_is_none_is_refused_before_anybody_is_asked(tmp_path, key):
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        started(tmp_path, trusted=(key,))
    assert not (tmp_path / "lead").exists()


def test_a_key_in_capitals_is_no_other_vault(answered, tmp_path):
    """Whoever holds a vault could sign under it, and count twice."""
    place = answered / "round-0001"
    vault = Vault(tmp_path / "north" / "vault")
    for spell in (str.upper, lambda key: f"{key[:2]} {key[2:]}"):
        again = RoundAnswer.read(place / "north.answer.json")
        again = structs.replace(again, key=spell(again.key), signature="")
        again = structs.replace(again, signature=signature(vault, again.signed))
        (place / "again.answer.json").write_text(json.dumps(to_json(again)))
        with pytest.raises(InputError, match="altered"):
            RoundAnswer.read(place / "again.answer.json")


def test_whoever_is_left_out_of_a_round_that_closes_is_named(answered):
    rewritten(answered / "round-0001" / "north.answer.json", name="x")
    after = ask(answered)
    assert list(after.left_out) == ["round-0001/north.answer.json"]
    assert "altered" in after.left_out["round-0001/north.answer.json"]


def of_another_kind(answer: RoundAnswer, method: str) -> PrivateTraining:
    """A card of another method, which is true of itself."""
    recipe = structs.replace(answer.training.recipe, method=method)
    releases = method_of(recipe).plan(recipe)
    return structs.replace(
        answer.training,
        recipe=recipe,
        releases=releases,
        guarantee=guarantee_of_recipe(recipe, releases, secure=True),
    )


@pytest.mark.parametrize("method", ["prototypes", "sgd", "vmf", "objective"])
def test_an_answer_by_another_method_is_left_out(answered, method):
    """Which has fewer rounds than the study, so that there is no noise of this round."""
    question = RoundQuestion.read(answered / "round-0001" / "question.json")
    answer = RoundAnswer.read(answered / "round-0001" / "north.answer.json")
    other = structs.replace(answer, training=of_another_kind(answer, method))
    with pytest.raises(InputError, match="another method"):
        other.check(question)


def test_few_patients_cannot_pull_as_many(answered):
    question = RoundQuestion.read(answered / "round-0001" / "question.json")
    answer = RoundAnswer.read(answered / "round-0001" / "north.answer.json")
    loud = (1e8, *answer.sums[1:])
    liar = structs.replace(answer, patients=1.0, patients_at_most=10**9, sums=loud)
    with pytest.raises(InputError, match="larger than those of all of its patients"):
        liar.check(question)


def test_the_joined_card_takes_over_no_words_of_a_site(done):
    training = Classifier.load(done[1]).training
    site = training.sites[0]
    weights = structs.replace(site.training.weights, trained_on_private_data=None, name="own")
    said = structs.replace(
        site.training, use="for diagnosis", public=(), touched=(), version="9", weights=weights
    )
    liar = structs.replace(site, training=said)
    joined = joined_training([liar, *training.sites[1:]], training.weights, faint=False)
    assert structs.replace(joined, sites=(), warnings=()) == structs.replace(
        training, sites=(), warnings=()
    )


def test_the_same_vault_under_two_names_counts_once(answered):
    place = answered / "round-0001"
    shutil.copy(place / "north.answer.json", place / "more.answer.json")
    ask(answered)
    closed = json.loads((place / "closed.json").read_text())
    assert len(closed["answers"]) == 2


def test_strangers_are_left_out_with_a_reason(tmp_path):
    lead = started(tmp_path, trusted=("0" * 64,))
    question = ask(lead).question
    carried(question, tmp_path / "north", 1)
    again = ask(lead)
    assert (again.round, again.question) == (1, question)
    assert "none that you trust" in again.left_out["north.answer.json"]


def test_a_closed_round_stays_as_it_was(answered, tmp_path):
    """Who answers too late is left out of it, and what was added up does not change unseen."""
    second = ask(answered)
    before = RoundQuestion.read(second.question)
    carried(answered / "round-0001" / "question.json", tmp_path / "west", 1)
    assert RoundQuestion.read(ask(answered).question) == before
    rewritten(answered / "round-0001" / "south.answer.json", name="x")
    with pytest.raises(InputError, match="altered after its round was closed"):
        ask(answered)


def test_sums_beyond_all_patients_are_refused(answered):
    file = answered / "round-0001" / "north.answer.json"
    question = RoundQuestion.read(answered / "round-0001" / "question.json")
    answer = RoundAnswer.read(file)
    answer.check(question)
    loud = structs.replace(answer, sums=(1e6, *answer.sums[1:]))
    with pytest.raises(InputError, match="larger than those of all of its patients"):
        loud.check(question)
    for sums in ((), (*answer.sums, 0.0)):
        with pytest.raises(InputError, match="sums, got"):
            structs.replace(answer, sums=sums).check(question)


def test_a_card_that_claims_less_than_its_noise_is_refused(answered):
    file = answered / "round-0001" / "north.answer.json"
    question = RoundQuestion.read(answered / "round-0001" / "question.json")
    answer = RoundAnswer.read(file)
    guarantee = structs.replace(answer.training.guarantee, charged=0.1)
    liar = structs.replace(answer, training=structs.replace(answer.training, guarantee=guarantee))
    with pytest.raises(InputError, match="its card does not hold: charged"):
        liar.check(question)


def test_a_seed_is_no_guarantee(tmp_path):
    lead = started(tmp_path)
    question = ask(lead).question
    request = asked(tmp_path / "north")
    shutil.copy(question, request.out / question_name(1))
    answer_rounds(request, shared_flow(), noise=SeededNoise(1))
    shutil.copy(request.out / answer_name(1), question.parent / "north.answer.json")
    assert "noise from a secure source" in ask(lead).left_out["north.answer.json"]


@pytest.mark.parametrize("what", ["whole", "charged", "rounds", "twice"])
def test_a_joined_card_that_claims_less_does_not_verify(done, tmp_path, what):
    classifier = Classifier.load(done[1])
    training, first = classifier.training, classifier.training.sites[0]
    changed = {
        "whole": lambda: {
            "sites": (
                structs.replace(first, whole=structs.replace(first.whole, epsilon=1.0)),
                *training.sites[1:],
            )
        },
        "charged": lambda: {"guarantee": structs.replace(training.guarantee, charged=0.5)},
        "rounds": lambda: {"recipe": structs.replace(training.recipe, rounds=1)},
        "twice": lambda: {"sites": (first, first)},
    }[what]()
    altered = structs.replace(training, **changed)
    file = tmp_path / "classifier.safetensors"
    Classifier(reader=classifier.reader, training=altered, side=classifier.side).save(file)
    assert not verify(file).ok


@pytest.mark.statistical
def test_rounds_of_three_hospitals_are_those_of_one_curator_but_for_the_noise(tmp_path):
    """At little noise: three tenths of the length of all 130 weights. False alarms: below 1e-9."""
    lead = started(tmp_path)
    loud = {"epsilon": 9e4}
    everybody = HeadData()
    for i, name in enumerate(NAMES):
        pictures(tmp_path / name, 12 + 2 * i)
    for number in range(1, ROUNDS + 1):
        question = ask(lead).question
        for name in NAMES:
            carried(question, tmp_path / name, number, **loud)
    found = Classifier.load(ask(lead).classifier)
    for name in NAMES:
        request = asked(tmp_path / name, **loud)
        with respond.opened_rounds(request, shared_flow(), read_only=False) as job:
            everybody.parts += job.data().parts
    training = found.training.sites[0].training
    head = start(PublicModel.of(shared_flow()), 2, found.reader.head.side)
    pooled = descend(
        everybody,
        np.ones(2, dtype=np.bool_),
        head,
        [noise_of(training.releases[1])] * ROUNDS,
        count=12 + 14 + 16,
        noise=SeededNoise(0),
    )
    away = np.linalg.norm(found.reader.head.weights - pooled.weights)
    assert away < 0.45 * np.linalg.norm(pooled.weights)
