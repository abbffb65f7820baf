"""A plug-in is a file: one of each is added in a folder of a test, and nothing else is edited."""

import json
import re

import numpy as np
import pytest
from msgspec import structs

from latentdp import Recipe
from latentdp.core import plugins
from latentdp.core.attributes import classes
from latentdp.core.progress import silent
from latentdp.evaluation.compare import entries
from latentdp.evaluation.datasets import BenchmarkDataset
from latentdp.evaluation.run_attacks import examine
from latentdp.evaluation.verdict import judged
from latentdp.metrics.metric import named
from latentdp.privatizer import make_plan
from latentdp.reports.answers import answers
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.evaluation import Evaluation
from latentdp.reports.evaluation_page import write_evaluation_page
from latentdp.reports.html import write_page
from tests.support import evaluations
from tests.support.contract import LAWS
from tests.support.places import SAMPLES
from tests.support.plugins import added
from tests.support.scenes import noise_only, people, scene

ATTACK = """
import numpy as np

from latentdp.evaluation.attacks.base import Attack
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.results import (Outcome)


class Insider(Attack):
    name = "insider"
    title = "asks a colleague"
    kind = AttackKind.SEARCH
    meaning = "The attacker knows somebody who works there."

    def run(self, scene, tell):
        n = len(scene.target.cohort)
        return [
            Outcome(
                attack=self.name, setting="by telephone", metric=RANK_1, value=np.float64(0.93),
                low=0.9, high=0.96, n=n, patients=n, chance=1 / n, ceiling=None, headline=True,
            )
        ]


attack = Insider()
"""

METHOD = """
from latentdp.evaluation.methods.base import Method


class Negative(Method):
    name = "negative"
    title = "black becomes white"
    source = "the darkroom"

    def privatize(self, images, labels, noise):
        return 1 - images, labels.copy()


def examples_for(weights):
    return (Negative(),)
"""

UTILITY = """
from latentdp.evaluation.utility.base import Utility
from latentdp.metrics.metric import named
from latentdp.reports.results import (Measure)


class Brightness(Utility):
    name = "brightness"
    title = "how bright images are"

    def measure(self, scene, tell):
        value = float(scene.target.private.mean())
        return [
            Measure(
                utility=self.name, setting="private", subject="all", metric=named("mean grey"),
                value=value, low=value, high=value, n=1, patients=1, headline=True,
            )
        ]


utility = Brightness()
"""

METRIC = """
from latentdp.metrics.metric import Metric, MetricUnit

metrics = (Metric("mean grey", "brightness", "mean of all pixels", unit=MetricUnit.SHARE),)
"""

MECHANISM = """
from dataclasses import dataclass

from latentdp.privacy.mechanisms.laplace import Laplace


@dataclass(frozen=True, kw_only=True)
class Cautious(Laplace):
    name = "cautious"

    @classmethod
    def calibrate(cls, epsilon, dimensions, clip=None):
        return super().calibrate(epsilon / 2, dimensions, clip)


mechanism = Cautious
examples = (Cautious.calibrate(8.0, 4),)
"""

COMMAND = """
import typer


def hello(name: str) -> None:
    '''Greet somebody.'''
    typer.echo(f"Hello, {name}.")


command = hello
"""


def test_an_attack_is_a_file_and_the_verdict_and_the_page_know_it(tmp_path):
    shown = tmp_path / "page.html"
    quiet = Evaluation.from_json(evaluations.evaluation(13, controls=False))
    with added("attacks", tmp_path, insider=ATTACK):
        assert "insider" in plugins.names("attacks")
        found = examine(scene(noise_only), silent, attacks=["insider"], utilities=())
        (outcome,) = found.outcomes
        assert outcome.kind is AttackKind.SEARCH
        evaluation = judged(structs.replace(quiet, outcomes=(*quiet.outcomes, outcome)))
        write_evaluation_page(evaluation, shown)
        assert judged(quiet).verdict.claims[0].within
        assert not evaluation.verdict.claims[0].within
        assert answers(evaluation)[0].short == "Yes"
    page = shown.read_text(encoding="utf-8")
    assert "knows somebody who works there" in page
    assert "93.0 % (90.0 to 96.0 %) of the private images lead to theirs first, by insider" in page


def test_a_rival_is_a_file(tiny_flow, tmp_path):
    cohort = people(3)
    place = BenchmarkDataset(
        name="identity", weights=tiny_flow, train=cohort, val=cohort, test=cohort
    )
    with added("methods", tmp_path, negative=METHOD):
        (row,) = entries([place], ["negative"])
        assert row.group == "rival"
        images, _ = row.methods["identity"].privatize(cohort.images, cohort.labels, None)
        assert np.allclose(images + cohort.images, 1)


def test_a_measure_of_usefulness_and_its_metric_are_files(tmp_path):
    with (
        added("utility", tmp_path, brightness=UTILITY),
        added("metrics", tmp_path, grey=METRIC),
    ):
        found = examine(scene(noise_only), silent, attacks=(), utilities=["brightness"])
        (measure,) = found.utility
        assert measure.metric == named("mean grey")
        assert measure.metric.title == "brightness"
        assert json.loads(json.dumps(measure.to_json()))["metric"] == "mean grey"


def test_a_mechanism_is_a_file(tmp_path):
    directions = np.eye(64)[:4]
    with added("mechanisms", tmp_path, cautious=MECHANISM):
        recipe = Recipe.from_preset("balanced", mechanism="cautious", label="none")
        plan = make_plan(
            recipe,
            d=64,
            directions=directions,
            attributes=classes("a", "b", "c"),
            identity=directions[:0],
        )
        assert plan.mechanisms == ("cautious",)
        assert plan.guarantee.epsilon <= recipe.epsilon / 2
        for example in plugins.load("mechanisms", "cautious").examples:
            assert {name: law(example) for name, law in LAWS.items()} == dict.fromkeys(LAWS, "")


def test_commands_know_a_mechanism_that_was_added(tmp_path, command, capsys, tiny_weights):
    call = ("--mechanism", "cautious", "--weights", tiny_weights, "--json")
    out = tmp_path / "out"
    with added("mechanisms", tmp_path, cautious=MECHANISM):
        assert command("explain", SAMPLES, *call) == 1  # one sample is broken
        told = json.loads(capsys.readouterr().out)
        assert "cautious" in json.dumps(told["plan"]["blocks"])
        assert command("privatize", SAMPLES, out, "--vault", tmp_path / "vault", *call) == 1
        assert command("verify", out) == 0
        capsys.readouterr()
        assert command("audit", "--mechanism", "cautious", "--trials", 2000, "--json") == 0
        (report,) = json.loads(capsys.readouterr().out)
        assert "cautious" in json.dumps(report)
        assert command("audit", "--trials", 10, "--mechanism", "laplac") == 2
        assert "there are: cautious, codebook" in capsys.readouterr().err
    assert command("explain", SAMPLES, *call) == 2
    assert "there are: codebook" in capsys.readouterr().err
    assert command("verify", out) != 0, "nobody knows what it claims any more"


@pytest.mark.parametrize(("package", "group"), [("_cli", ()), ("_cli.weights", ("weights",))])
def test_a_command_is_a_file(package, group, tmp_path, command, capsys):
    def in_help():
        assert command(*group, "--help") == 0
        _, shown = capsys.readouterr().out.split("Commands:")
        lines = re.findall(r"^  (\S+) +(.*(?:\n {4,}.*)*)", shown, re.MULTILINE)
        return {name: " ".join(said.split()) for name, said in lines}

    call, before = (*group, "greet-somebody", "Ada"), list(in_help())
    with added(package, tmp_path, greet_somebody=COMMAND):
        assert command(*call) == 0
        assert capsys.readouterr().out == "Hello, Ada.\n"
        after = in_help()
    assert after.pop("greet-somebody") == "Greet somebody."
    assert list(after) == before
    assert command(*call) == 2
    assert "No such command" in capsys.readouterr().err


def test_a_page_is_a_file_with_its_template(tmp_path):
    (tmp_path / "reports" / "templates").mkdir(parents=True)
    (tmp_path / "reports" / "templates" / "note.html.j2").write_text(
        '{% extends "base.html.j2" %}{% block title %}A note{% endblock %}'
        "{% block heading %}<h1>{{ words }}</h1>{% endblock %}{% block content %}{% endblock %}"
        "{% block foot %}{% endblock %}",
        encoding="utf-8",
    )
    with added("reports", tmp_path):
        write_page(tmp_path / "note.html", "note.html.j2", words="<b>")
    assert "<h1>&lt;b&gt;</h1>" in (tmp_path / "note.html").read_text(encoding="utf-8")
