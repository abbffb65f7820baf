"""A steward evaluates a site's file before it is sent: document, page, refusals."""

import json

import pytest

import latentdp
from latentdp.core import plugins
from latentdp.privacy.noisy_sum import NoisySum
from latentdp.reports.synthetic_evaluation import SyntheticEvaluation
from latentdp.synthesis.evaluation import measure
from latentdp.synthesis.evaluation.effort import SyntheticEffort
from tests.support.folders import charges, tree
from tests.support.html_page import Page
from tests.synthesis.cohorts import pictures

PATIENTS = 24
# Enough shadows that chance does not accuse: which patients are in them follows the vault's key.
LITTLE = SyntheticEffort(shadows=32, members=10, canaries=10, compared=20, rebuilt=PATIENTS)

pytestmark = pytest.mark.xdist_group("site-file")  # they share one


@pytest.fixture(scope="module")
def shared(tmp_path_factory, tiny_weights):
    """A hospital, and the file that it would send; not to be changed."""
    from latentdp.federation.share import share
    from latentdp.models.flow.flow import load_flow
    from tests.synthesis.cohorts import request

    place = tmp_path_factory.mktemp("hospital")
    pictures(place, PATIENTS)
    asked = request(place, "north.site", findings="a;b", epsilon=2.0)
    share(asked, load_flow(tiny_weights, exact=False), "north")
    return place


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(measure, "QUICK", LITTLE)


def evaluated(place, weights, report, **changes):
    options = {"labels": place / "labels.csv", "vault": place / "vault", "weights": str(weights),
               "quick": True}  # fmt: skip
    file = changes.pop("site", place / "north.site")
    cohort = changes.pop("cohort", place / "in")
    return latentdp.evaluate_site(cohort, file, report=report, **options | changes)


def line(place, weights, report):
    return ["evaluate", place / "in", place / "north.site", "--labels", place / "labels.csv",
            "--vault", place / "vault", "--weights", weights, "--report", report,
            "--quick"]  # fmt: skip


def test_the_command_makes_every_attack_on_the_file_or_says_why_not(
    shared, tiny_weights, tmp_path, command, capsys
):
    before, charged = tree(shared), charges(shared)
    assert command(*line(shared, tiny_weights, tmp_path / "report")) == 0
    assert "what does whoever adds up make of the file?" in capsys.readouterr().out
    assert (tree(shared), charges(shared)) == (before, charged), "nobody is charged"
    values = json.loads((tmp_path / "report" / "synthetic-evaluation.json").read_text())
    evaluation = SyntheticEvaluation.from_json(values)
    tried = {outcome.attack for outcome in evaluation.sharing}
    unable = {one.name.replace(" ", "_") for one in evaluation.unmeasured}
    assert {*plugins.names("sharing attacks")} - tried - unable == {"membership_of_sums"}
    assert {"latent_inversion", "pixel_inversion", "property_of_site"} <= tried
    assert evaluation.membership, "of all that is in the file"
    assert evaluation.site == "north"
    assert not evaluation.refuted
    first = [o for o in evaluation.sharing if o.metric.name == "rank-1"]
    assert all(o.chance == pytest.approx(1 / PATIENTS) for o in first)
    assert all(o.chance < o.ceiling < 0.1 for o in first), "what epsilon 2 lets through"
    traits = {o.setting for o in evaluation.sharing if o.attack == "property_of_site"}
    assert any(setting.startswith("share of a,") for setting in traits)
    assert all(o.ceiling is None for o in evaluation.sharing if o.attack == "property_of_site")
    del values["sharing"], values["site"]
    assert SyntheticEvaluation.from_json(values).sharing == (), "one of before still opens"
    text = " ".join(Page(tmp_path / "report" / "synthetic-evaluation.html").text.split())
    assert "Evaluation of the file of site north" in text
    assert "What does whoever adds up make of the file?" in text
    assert "the guarantee is of patients" in text


@pytest.mark.slow
def test_the_same_seed_gives_the_same_numbers(shared, tiny_weights, tmp_path):
    one, again = (evaluated(shared, tiny_weights, tmp_path / n)[0] for n in ("one", "again"))
    assert one.sharing == again.sharing


@pytest.mark.slow
def test_a_file_that_is_quieter_than_its_card_is_refuted(
    shared, tiny_weights, tmp_path, monkeypatch, command, capsys
):
    """Sums are sent as a broken program would, whose card claims the noise all the same."""
    quiet = NoisySum(grid=2**16, scale=1.0)

    def sent(self, total, noise):
        return total / self.mechanism.grid + quiet.deviation

    monkeypatch.setattr("latentdp.federation.attacks.base.SharedSum.sent", sent)
    assert command(*line(shared, tiny_weights, tmp_path / "r")) == 6
    assert "REFUTED: latent inversion" in capsys.readouterr().err


def test_files_that_do_not_belong_to_the_cohort_are_refused(shared, tiny_weights, tmp_path):
    altered = tmp_path / "north.site"
    content = bytearray((shared / "north.site").read_bytes())
    content[len(content) // 2] ^= 1
    altered.write_bytes(content)
    pictures(tmp_path / "other", PATIENTS + 1)
    for changes, message in (
        ({"site": altered}, "which is whole"),
        ({"site": shared / "labels.csv"}, "expected a file of latentdp federate share"),
        ({"vault": tmp_path / "none"}, "name it with --vault"),
        ({"report": shared / "in" / "r"}, "must not lie in"),
        ({"weights": "cxr-adult"}, "other weights"),
        (
            {"cohort": tmp_path / "other" / "in", "labels": tmp_path / "other" / "labels.csv"},
            "its ledger knows no such synthesis",
        ),
    ):
        with pytest.raises(latentdp.LatentDPError, match=message):
            evaluated(shared, **({"weights": tiny_weights, "report": tmp_path / "r"} | changes))
    assert not (tmp_path / "r").exists()


def test_options_of_other_releases_are_refused(shared, tiny_weights, tmp_path, command, capsys):
    words = line(shared, tiny_weights, tmp_path / "r")
    assert command(*words, "--pairs", tmp_path / "p.csv") == 2
    assert "a site's file" in capsys.readouterr().err
