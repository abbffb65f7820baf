"""What sites shared adds up, costs nothing, and says what each patient risks."""

import json
from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from latentdp.errors import InputError
from latentdp.federation.combine import add_up, combine, read_sites
from latentdp.federation.draw import draw_together
from latentdp.federation.share import share
from latentdp.federation.site_file import Site
from latentdp.privacy.noise import SeededNoise
from latentdp.reports.synthesis_card import SynthesisCard
from latentdp.reports.synthesis_words import AT_SEVERAL
from latentdp.synthesis.destination import Destination
from latentdp.synthesis.generator import Generator
from latentdp.synthesis.head import Head, averaged
from latentdp.synthesis.learn import Learner
from latentdp.synthesis.methods.gaussian import FindingGaussians
from latentdp.synthesis.plan import SynthesisPlan
from latentdp.synthesis.public import PublicModel
from latentdp.synthesis.vectors import PatientImages
from latentdp.synthesis.verify import verify_synthesis
from tests.federation.hospitals import FINDINGS, shared, sites, sums
from tests.support.folders import tree
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import pictures, request

SIDE, COARSE = 4, 64
RNG = np.random.default_rng(3)


def head(side: int, seed: int) -> Head:
    rng = np.random.default_rng(seed)
    return Head(
        weights=rng.normal(size=(2, side * side + 1)),
        centre=rng.uniform(50, 200, side * side),
        scale=rng.uniform(5, 60, side * side),
    )


def of_patients(numbers: range) -> PatientImages:
    """One image of each, the same for the same number wherever they go."""
    images = [np.random.default_rng(number) for number in numbers]
    findings = np.array([[n % 2 == 0, n % 2 == 1] for n in numbers])
    return PatientImages(
        latents=np.stack([rng.normal(size=COARSE) for rng in images]) + findings[:, :1],
        thumbnails=np.stack([rng.integers(0, 255, (SIDE, SIDE)) for rng in images]).astype("u1"),
        findings=findings,
        read=np.ones(len(images), dtype=np.bool_),
        patients=np.arange(len(images)),
    )


def learnt(numbers: range, seed: int, epsilon: float):
    public = PublicModel(coarse=COARSE, samples=RNG.integers(0, 255, (9, SIDE, SIDE)).astype("u1"))
    method = FindingGaussians(public, 2)
    learner = Learner(method, SynthesisPlan.calibrate(epsilon, 1e-5, declared=True), declared=True)
    learner.add(of_patients(numbers))
    return method, learner.release(SeededNoise(seed))


@pytest.mark.statistical
def test_sums_of_three_sites_are_those_of_all_patients_but_for_the_noise():
    """False alarm: each of some 300 entries lies within 7 deviations, below 1e-9 in all."""
    pooled = learnt(range(90), 0, 8.0)[1].statistics
    parts = [learnt(range(30 * i, 30 * i + 30), i + 1, 8.0)[1].statistics for i in range(3)]
    joined = parts[0] + parts[1] + parts[2]
    for one, all_ in zip(joined.blocks, pooled.blocks, strict=True):
        assert one.deviation == pytest.approx(np.sqrt(3) * all_.deviation)
        away = np.abs(one.sums - all_.sums)
        assert away.max() < 7 * np.hypot(one.deviation, all_.deviation)


def test_together_they_learn_what_each_alone_cannot():
    """At so much noise no site stands out of its own; all together do."""
    method, first = learnt(range(200), 1, 1.0)
    parts = [first] + [learnt(range(200 * i, 200 * i + 200), i, 1.0)[1] for i in range(2, 12)]
    assert np.allclose(first.mixture.means, 0), "the prior"
    joined = add_up(method, [p.statistics for p in parts], [p.head for p in parts])
    assert not np.allclose(joined.mixture.means, 0)
    assert first.faint > joined.faint


def test_a_head_reads_the_same_at_a_finer_side():
    coarse, fine = head(4, 1), head(16, 2)
    images = RNG.uniform(size=(5, 16, 16))
    assert np.allclose(coarse.refined(fine).probabilities(images), coarse.probabilities(images))
    with pytest.raises(InputError, match="divide each other"):
        head(3, 1).refined(fine)


def test_heads_are_averaged_by_the_patients_that_they_saw():
    one, two = head(4, 1), head(4, 2)
    two = one.with_weights(two.weights)
    assert np.allclose(averaged([one, two], [3, 1]).weights, (3 * one.weights + two.weights) / 4)
    assert averaged([head(2, 1), one], [1, 1]).side == 4


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    return sites(tmp_path_factory.mktemp("three"), "north", "south", "west")


@pytest.fixture
def destination(tmp_path):
    return Destination.of(tmp_path / "out", shared_flow(), 4, None)


def test_a_data_set_of_three_sites_verifies_and_names_them(three, destination):
    synthesis = draw_together(three, shared_flow(), destination)
    assert [site.name for site in synthesis.sites] == ["north", "south", "west"]
    verification = verify_synthesis(destination.out)
    assert verification.ok, [check for check in verification.checks if not check.ok]
    card = SynthesisCard.find(destination.out)
    assert card.synthesis.guarantee.charged == max(
        site.synthesis.guarantee.charged for site in card.synthesis.sites
    )
    assert AT_SEVERAL in card.synthesis.guarantee.not_covered
    page = (destination.out / "release.html").read_text()
    assert "north: sum of the patients" in page
    assert "several of these sites" in page


def test_the_largest_cost_of_a_site_is_stated_for_all(tmp_path, destination):
    files = [shared(tmp_path / "a", epsilon=1.0), shared(tmp_path / "b", epsilon=4.0)]
    guarantee = draw_together(read_sites(files), shared_flow(), destination).guarantee
    assert 3.9 < guarantee.charged <= 4.0
    assert verify_synthesis(destination.out).ok


@pytest.mark.parametrize("what", ["epsilon", "charged", "site", "twice", "findings"])
def test_a_card_that_claims_less_does_not_verify(three, destination, what):
    draw_together(three, shared_flow(), destination)
    card = SynthesisCard.find(destination.out)
    synthesis, told = card.synthesis, card.synthesis.guarantee
    first = synthesis.sites[0]
    changed = {
        "epsilon": lambda: {
            "guarantee": structs.replace(
                told, replace_one=structs.replace(told.replace_one, epsilon=0.5)
            )
        },
        "charged": lambda: {"guarantee": structs.replace(told, charged=0.5)},
        "site": lambda: {
            "sites": (
                structs.replace(
                    first,
                    synthesis=structs.replace(
                        first.synthesis,
                        releases=tuple(
                            structs.replace(release, scale=release.scale / 2)
                            for release in first.synthesis.releases
                        ),
                    ),
                ),
                *synthesis.sites[1:],
            )
        },
        "twice": lambda: {"sites": (first, first)},
        "findings": lambda: {"findings": ("a", "c")},
    }[what]()
    altered = structs.replace(card, synthesis=structs.replace(synthesis, **changed))
    path = destination.out / "release.json"
    path.write_text(json.dumps(altered.to_json()))
    assert not verify_synthesis(path).ok


def test_the_order_of_files_does_not_matter_and_again_is_the_same(three, destination):
    draw_together(three, shared_flow(), destination)
    before = tree(destination.out)
    draw_together(three[::-1], shared_flow(), destination)
    assert tree(destination.out) == before


def test_a_generator_of_several_sites_draws_more(three, tmp_path, destination):
    draw_together(three, shared_flow(), destination)
    generator = Generator.load(destination.out / "generator.safetensors")
    (part,) = generator.draw(shared_flow(), SeededNoise(1), 3, 16)
    assert part.images.shape == (3, 16, 16)


def test_another_vault_of_the_same_patients_is_another_site_and_said_so(three):
    assert len({site.card.key for site in three}) == 3
    assert not np.allclose(sums(three[0]), sums(three[1])), "noise of their own"


def test_what_does_not_add_up_is_refused(tmp_path, three):
    north, south, _ = three
    with pytest.raises(InputError, match="at least 2 sites"):
        combine([north], shared_flow())
    with pytest.raises(InputError, match="would count twice"):
        combine([north, north], shared_flow())
    other = Site.read(shared(tmp_path / "other", findings="a;c"))
    with pytest.raises(InputError, match="other findings"):
        combine([north, other], shared_flow())
    other = Site.read(shared(tmp_path / "method", method="mixture"))
    with pytest.raises(InputError, match="another method"):
        combine([north, other], shared_flow())
    pictures(tmp_path / "seed")
    asked = request(tmp_path / "seed", "x.site", findings=FINDINGS)
    share(asked, shared_flow(), "x", noise=SeededNoise(1))
    with pytest.raises(InputError, match="came from a seed"):
        combine([north, Site.read(asked.out)], shared_flow())
    with pytest.raises(InputError, match="none that you trust"):
        read_sites([shared(tmp_path / "far"), shared(tmp_path / "away")], ["0" * 64])
    liar = Site(south.card, quieter(south.generator))
    with pytest.raises(InputError, match="not those that its card states"):
        combine([north, liar], shared_flow())


def quieter(generator: Generator) -> Generator:
    """As if it had added half of the noise."""
    blocks = tuple(
        replace(block, deviation=block.deviation / 2) for block in generator.statistics.blocks
    )
    return replace(generator, statistics=replace(generator.statistics, blocks=blocks))
