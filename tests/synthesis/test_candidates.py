"""Which of several images that are drawn is kept: as the critic and the head choose."""

import numpy as np
import pytest

from latentdp.errors import InputError
from latentdp.models.flow.add_ons import AddOns
from latentdp.models.flow.flow import Flow
from latentdp.models.model_card.card import ModelCard
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.synthesis.destination import Destination, Form
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.head import shown_by
from latentdp.synthesis.run import synthesize
from latentdp.synthesis.verify import verify
from latentdp.synthesis.write import draw
from tests.support.tiny_flow import directions, make_net, shared_flow
from tests.synthesis.cohorts import cohort, request

IMAGES, CANDIDATES = 24, 8


class Bright:
    """A critic whose ratio is how bright an image is, in nats; it hears of no label."""

    strength = 100.0

    def log_ratio(self, images, labels):
        assert (labels == -1).all()
        return self.strength * images.mean(axis=(1, 2), dtype=np.float64)


@pytest.fixture(scope="module")
def critical():
    add_ons = AddOns(directions=directions(), critic=Bright())
    return Flow(make_net(), ModelCard(), "tiny", "00" * 32, add_ons)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What a cohort taught, under a seed; not to be changed."""
    place = tmp_path_factory.mktemp("candidates")
    cohort(place)
    synthesize(request(place), shared_flow(), noise=SeededNoise(1))
    return place / "out" / "generator.safetensors"


def drawn(generator, flow, candidates, seed=0):
    parts = generator.draw(flow, SeededNoise(seed), IMAGES, 16, candidates=candidates)
    return np.concatenate([part.images for part in parts])


def test_the_critic_chooses_and_a_seed_repeats_it(made, critical):
    generator = Generator.load(made)
    one, several = (drawn(generator, critical, n) for n in (1, CANDIDATES))
    assert several.shape == one.shape
    assert several.mean() > one.mean() + one.mean(axis=(1, 2)).std()
    np.testing.assert_array_equal(several, drawn(generator, critical, CANDIDATES))


def test_without_a_critic_there_is_one_as_before(made):
    generator = Generator.load(made)
    one = drawn(generator, shared_flow(), 1)
    np.testing.assert_array_equal(one, drawn(generator, shared_flow(), CANDIDATES))


def test_findings_stay_as_common_as_they_were(made, critical):
    generator = Generator.load(made)
    one, several = (
        shown_by(generator.head.probabilities(drawn(generator, critical, n)))
        for n in (1, CANDIDATES)
    )
    assert (one == several).all(axis=1).mean() > 0.9


def test_the_card_says_of_how_many_each_was_chosen(made, critical, tmp_path):
    for flow, among in ((critical, 3), (shared_flow(), 1)):
        out = tmp_path / str(among)
        destination = Destination.of(out, flow, 2, None, form=Form(candidates=3))
        draw(made, destination, flow, SeededNoise(0))
        card = SynthesisCard.find(out)
        assert card is not None
        assert card.images.chosen_among == among
        refuted = {check.claim for check in verify(out).checks if not check.ok}
        assert refuted == {"noise from a secure source", "warnings"}  # for it came from a seed


@pytest.mark.parametrize("candidates", [0, 65])
def test_a_number_that_there_cannot_be_is_refused(tmp_path, candidates):
    cohort(tmp_path, patients=1, images=1)
    with pytest.raises(InputError, match="1 to 64 candidates"):
        request(tmp_path, candidates=candidates)
