"""The audit of the whole way: it passes what is right, and finds each of these mistakes itself.

Every bound holds at 1 - 1e-6, and seeds are fixed but where the noise is the mistake.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from latentdp._cli._audit_tables import pipeline_table

from latentdp import InputError
from latentdp.evaluation.audit_pipeline import LOOKS, affordable, audit_pipeline
from latentdp.evaluation.audit_recipe import audit_recipe
from latentdp.evaluation.transparent_flow import TransparentFlow, transparent
from latentdp.privacy import noise as noise_module
from latentdp.privacy.audit.best_event import largest_bound
from latentdp.privacy.audit.label_response import LabelResponse
from latentdp.privacy.audit.report import audit
from latentdp.privacy.audit.two_samples import told_apart
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.noise import SeededNoise, SystemNoise
from latentdp.privacy.plan import Action, Plan
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric
from latentdp.privacy.samplers.uniform import below, normal
from latentdp.privatizer import Privatizer, candidates
from latentdp.recipe import PRESETS, Recipe
from tests.support.sweeps import slow, some

DRAWS = 4096
CODEBOOKS = ("tight", "high-content")  # presets whose mechanism takes long
AUDITED = Recipe.from_preset("balanced", epsilon=4.0, label_share=0.25)  # 1 and 3 nats


def broken(privatizer, draws=DRAWS):
    """Names of the looks that contradict a claim."""
    return {look.name for look in audit_pipeline(privatizer, draws=draws) if look.problem}


# --- What is right passes -----------------------------------------------------------------------


@pytest.mark.statistical  # false-alarm rate 1e-6 for each look
@pytest.mark.parametrize("preset", [slow(p) if p in CODEBOOKS else p for p in PRESETS])
def test_presets_hold_on_a_flow_that_hides_nothing(preset):
    made = transparent(Recipe.from_preset(preset, epsilon=1.0), SeededNoise(1))
    looks = audit_pipeline(made, draws=affordable(made.plan, 1000))
    assert looks
    assert [look.problem for look in looks] == [""] * len(looks)
    for look in looks:
        assert look.name in LOOKS
        assert 0 <= look.found <= look.claim.epsilon <= 1
        assert look.describe()["problems"] == []


def test_bounds_are_not_empty():
    """At 4 nats, where 4,096 draws see 3 of the response and the mechanism."""
    found = {
        look.name: look
        for look in audit_pipeline(transparent(AUDITED, SeededNoise(1)), draws=DRAWS)
    }
    assert set(found) == set(LOOKS)
    assert not any(look.problem for look in found.values())
    assert found["label"].found > 0.6 * found["label"].claim.epsilon
    assert found["image"].found > 0.5 * found["image"].claim.epsilon
    assert found["image and label"].found > found["label"].claim.epsilon


@pytest.mark.statistical  # false-alarm rate 1e-6 for each look
def test_a_real_flow_is_audited_by_its_pixels(tiny_flow):
    made = Privatizer(tiny_flow, replace(AUDITED, epsilon=1.0), SeededNoise(1))
    looks = audit_pipeline(made, draws=400)
    assert {look.name for look in looks} == set(LOOKS) - {"resampled part"}
    assert {look.flow for look in looks} == {"tiny"}
    assert not any(look.problem for look in looks)


def test_where_latents_are_kept_a_real_flow_has_no_pairs(tiny_flow):
    made = Privatizer(tiny_flow, Recipe.from_preset("empirical"), SeededNoise(1))
    assert audit_pipeline(made, draws=100) == []
    assert audit_pipeline(transparent(Recipe.from_preset("empirical")), draws=100) != []


# --- Mistakes -----------------------------------------------------------------------------------


def lie_that_may_be_the_truth(patch):
    def respond(self, labels, noise):
        n = labels.size
        other = below(noise, self.classes, n)
        return np.where(noise.words(n) < np.uint64(self.threshold), np.maximum(labels, 0), other)

    patch.setattr(RandomisedResponse, "respond", respond)


def while_released(patch, change):
    """What ``change`` patches for one release alone, of these latents and labels."""
    honest = Privatizer.from_latents

    def from_latents(self, latents, labels=None):
        with pytest.MonkeyPatch.context() as inner:
            change(inner, self, latents, labels)
            return honest(self, latents, labels)

    patch.setattr(Privatizer, "from_latents", from_latents)


def nearest_candidate(patch):
    def change(inner, privatizer, latents, labels):
        def nearness(critic, images, valid, released, noise):
            return -np.square(privatizer.flow.encode(images, released) - latents).sum(axis=1)

        inner.setattr(candidates, "_scores", nearness)

    while_released(patch, change)


def mechanism_drawn_anew(patch):
    complete = Plan.complete

    def change(inner, privatizer, latents, labels):
        def again(plan, protected, noise):
            return complete(plan, plan.protect(latents, noise), noise)

        inner.setattr(Plan, "complete", again)

    while_released(patch, change)


def true_label_encodes(patch):
    def encode(self, images, labels):
        return self.flow.encode_and_rate(images, labels)

    patch.setattr(Privatizer, "_encode", encode)


def true_label_decodes(patch):
    decode = TransparentFlow.decode_valid

    def change(inner, privatizer, latents, labels):
        def by_the_truth(flow, z, released=None):
            return decode(flow, z, labels)

        inner.setattr(TransparentFlow, "decode_valid", by_the_truth)

    while_released(patch, change)


def rows_share_noise(patch):
    def perturb(self, latents, noise):
        return self.quantise(latents) + two_sided_geometric(self.base).draw(noise, self.dimensions)

    patch.setattr(LaplaceL1, "perturb", perturb)


def rows_share_a_lie(patch):
    honest = RandomisedResponse.respond

    def respond(self, labels, noise):
        lie = honest(self, labels[:1], noise) - labels[:1]
        return (labels + lie) % self.classes

    patch.setattr(RandomisedResponse, "respond", respond)


def key_reused(patch):
    patch.setattr(
        SystemNoise, "words", lambda self, n: noise_module._keystream(bytes(32), bytes(16), n)
    )


def resampled_follows_the_image(patch):
    protect, complete = Plan.protect, Plan.complete

    def kept(self, latents, noise):
        out = protect(self, latents, noise)
        for block, dims in zip(self.blocks, self.dims, strict=True):
            if block.action is Action.RESAMPLE:
                out[:, dims] = self.coordinates(latents)[:, dims] / 8
        return out

    def added(self, coordinates, noise):
        rest = np.zeros_like(coordinates)
        for block, dims in zip(self.blocks, self.dims, strict=True):
            if block.action is Action.RESAMPLE:
                rest[:, dims] = coordinates[:, dims]
        return complete(self, coordinates, noise) + self.basis.inverse(rest)

    patch.setattr(Plan, "protect", kept)
    patch.setattr(Plan, "complete", added)


MISTAKES = {  # and the look that finds it; others may, too
    lie_that_may_be_the_truth: "label",
    nearest_candidate: "resampled part",
    mechanism_drawn_anew: "image",
    true_label_encodes: "label",
    true_label_decodes: "label",
    rows_share_noise: "row of a batch",
    rows_share_a_lie: "row of a batch",
    key_reused: "call of a process",
    resampled_follows_the_image: "resampled part",
}


@pytest.mark.parametrize(
    "mistake", some(MISTAKES, [rows_share_noise, rows_share_a_lie, key_reused])
)
def test_a_mistake_is_found(monkeypatch, mistake):
    mistake(monkeypatch)
    noise = None if mistake is key_reused else SeededNoise(1)
    assert MISTAKES[mistake] in broken(transparent(AUDITED, noise))


@pytest.mark.parametrize("mistake", [rows_share_noise, key_reused])
def test_a_mistake_is_found_in_the_pixels_of_a_real_flow(monkeypatch, tiny_flow, mistake):
    """Those that pass on nearly all; what passes on less takes the draws of a transparent flow."""
    mistake(monkeypatch)
    noise = None if mistake is key_reused else SeededNoise(1)
    made = Privatizer(tiny_flow, replace(AUDITED, epsilon=1.0), noise)
    assert MISTAKES[mistake] in broken(made, draws=400)


def test_the_label_alone_is_audited_as_a_mechanism(monkeypatch):
    made = LabelResponse.of(RandomisedResponse.calibrate(6.0, 3))
    report = audit(made, noise=SeededNoise(1), trials=100_000)
    assert report.problems == ()
    assert report.exact.found == pytest.approx(made.guarantee.epsilon, rel=1e-9)
    lie_that_may_be_the_truth(monkeypatch)
    problems = audit(made, noise=SeededNoise(1), trials=100_000).problems
    assert any("does not follow its formula" in problem for problem in problems)


# --- Bounds, the recipe, the command ------------------------------------------------------------


@pytest.mark.statistical  # more than 12 of 40 misses at 5 %: chance below 1e-6
def test_samples_that_are_alike_are_not_told_apart():
    misses = 0
    for seed in range(40):
        values = normal(SeededNoise(seed), (2, 400, 3))
        misses += told_apart(values[0], values[1], confidence=0.95) > 0
    assert misses <= 12


def test_samples_are_told_apart_by_one_feature_or_by_all():
    noise = normal(SeededNoise(3), (2, 4000, 2))
    shifted = noise[1] + np.array([2.0, -2.0])
    assert told_apart(noise[0], shifted) > 2
    flat = np.zeros((4000, 2))
    assert told_apart(flat, flat) == 0
    assert told_apart(flat, flat + 1) > math.log(2000 / 20)


def test_so_many_images_can_show_so_much_and_no_more(capsys):
    """A planted mistake that gives everything away is bounded from below by just that."""
    assert largest_bound(100) == pytest.approx(1.0887, abs=1e-4)
    apart = np.zeros((100, 1)), np.ones((100, 1))
    assert told_apart(*apart) == pytest.approx(largest_bound(100))
    (look, *_) = audit_pipeline(transparent(AUDITED, SeededNoise(1)), draws=100)
    assert look.describe()["largest_bound"] == largest_bound(100)
    pipeline_table("t", [look])
    told = capsys.readouterr().out
    assert "100 releases of the transparent flow can show at most epsilon 1.09" in told
    assert "not tested" in told


@pytest.mark.parametrize(("draws", "confidence"), [(99, 0.9), (100, 1.0)])
def test_too_little_is_refused(draws, confidence):
    with pytest.raises(InputError, match=r"trials|confidence"):
        audit_pipeline(transparent(AUDITED), draws=draws, confidence=confidence)


def test_a_recipe_is_audited_at_its_own_budget_and_at_one_that_draws_refute(tiny_weights):
    steps = []
    found = audit_recipe(
        replace(AUDITED, epsilon=6.0, weights=str(tiny_weights)),
        trials=1000,
        images=100,
        advance=lambda done, total: steps.append((done, total)),
    )
    assert found.response.claim.epsilon == pytest.approx(1.5, rel=1e-9)
    budgets = {(look.flow, round(look.budget, 2)) for look in found.looks}
    assert budgets == {("tiny", 1.0), ("transparent", 1.0), ("transparent", 6.0)}
    assert steps[-1] == (300, 300)


def test_the_command_shows_the_whole_way_and_says_what_it_did_not_see(
    command, capsys, monkeypatch, tiny_weights
):
    monkeypatch.setenv("COLUMNS", "160")
    how = ("--preset", "balanced", "--weights", tiny_weights, "--trials", "5000")
    assert command("audit", *how, "--images", "100") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "randomised-response, 1 dim" in told
    assert "the whole way of preset balanced" in told
    assert all(f"{look}: {words}." in told for look, words in LOOKS.items())
    assert "Not looked at:" in told
    assert "BROKEN" not in told


def test_the_command_as_json_and_its_exit_code(command, capsys, monkeypatch, tiny_weights):
    nearest_candidate(monkeypatch)
    how = ("--preset", "strict", "--weights", tiny_weights, "--trials", "5000", "--images", "0")
    assert command("audit", *how, "--json") == 1
    told = capsys.readouterr()
    response, *looks = json.loads(told.out)
    assert response["mechanism"] == "randomised-response"
    assert {look["flow"] for look in looks} == {"transparent"}
    by_name = {look["look"]: look for look in looks}
    assert by_name["resampled part"]["best_event_bound"] > 0 == by_name["resampled part"]["delta"]
    assert by_name["resampled part"]["problems"]
    assert "latentdp: resampled part, transparent flow: the lower bound" in told.err


def test_mechanisms_by_name_are_audited_alone(command, capsys):
    assert command("audit", "--mechanism", "hypercube", "--trials", "1000", "--json") == 0
    assert all("look" not in one for one in json.loads(capsys.readouterr().out))
