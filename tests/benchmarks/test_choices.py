"""The benchmarks that weights and presets are chosen by, on a made-up world."""

import json
import re
import shutil
from functools import partial

import pytest
import torch
from PIL import Image

from latentdp.core.plugins import names
from latentdp.models.directions import probe_table
from latentdp.models.flow.glow import GlowConfig, LabelledNet
from latentdp.models.networks.finding_classifier import ClassifierConfig
from latentdp.models.networks.verifier import Verifier
from tests.support.benchmarks import script

ARCHITECTURES = script("architectures")
STEPS = 5  # of a reader


@pytest.fixture
def quick(monkeypatch):
    """Readers that learn for a moment."""
    monkeypatch.setattr(script("_readers"), "TRAINING", ClassifierConfig(steps=STEPS))


def shown(capsys) -> list[dict[str, str]]:
    """The rows of the tables that were printed, by their heads."""
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    heads, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [dict(zip(heads, row, strict=True)) for row in rows if not row[0].startswith("---")]


@pytest.mark.parametrize("name", sorted(ARCHITECTURES.VARIANTS))
def test_every_architecture_is_invertible_and_differs_in_what_it_says(name):
    variant = ARCHITECTURES.VARIANTS[name]
    torch.manual_seed(0)
    config = variant.config(
        size=16,
        classes=("a", "b"),
        steps=(1,) * len(variant.steps),
        hidden=(8,) * len(variant.steps),
    )
    net = variant.net(config)
    x, labels = torch.rand(6, 1, 16, 16) - 0.5, torch.tensor([0, 1, 2, 0, 1, 2])
    with torch.no_grad():
        net(x, labels)
        for parameter in net.parameters():
            if parameter.requires_grad and not parameter.any():
                parameter.normal_(0, 0.05)
        z, _ = net.encode(x, labels)
        assert torch.allclose(net.decode(z, labels), x, atol=1e-4)
        other, _ = net.encode(x, labels.flip(0))
    told = [m.label.any() for m in net.modules() if isinstance(m, LabelledNet)]
    assert any(told) == (name != "label-in-bases"), "networks that see the label"
    assert not torch.allclose(z, other)
    assert isinstance(config, GlowConfig)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_architectures_are_compared_and_kept(world, tmp_path, monkeypatch, capsys):
    benchmark, variants = ARCHITECTURES, script("_variants")
    monkeypatch.setattr(benchmark, "SIZE", 16)
    small = {
        name: variants.Variant(words, hidden=(8, 8), steps=(1, 1), **changes)
        for name, words, changes in (
            ("ours", "small", {}),
            ("poses", "moved", {"poses": True}),
            ("plain-priors", "plain", {"net": variants.PlainPriors}),
        )
    }
    monkeypatch.setattr(benchmark, "VARIANTS", small)
    monkeypatch.setattr(benchmark, "shipped_verifier", lambda size: str(world.verifier))
    table, sheet = tmp_path / "table.json", tmp_path / "sheet.png"
    options = [world.data, "--state", tmp_path / "state", "--minutes", 0.005]
    options += ["--source", "made-up", "--condition", "finding", "--json", table, "--sheet", sheet]
    benchmark.main([str(x) for x in options])
    first = capsys.readouterr().out
    rows = json.loads(table.read_text())["rows"]
    assert [row["variant"] for row in rows] == list(small)
    for row in rows:
        assert row["images"] > 0
        assert 0 < row["bits"] < 12
        assert row["verifier"] >= 0
        assert 0 <= row["auc"] <= 1
    assert sheet.exists()
    benchmark.main([str(x) for x in options])
    assert capsys.readouterr().out == first, "what was measured is not measured again"


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_identity_is_looked_for_in_parts_of_the_latent(world, monkeypatch, capsys):
    benchmark = script("identity")
    monkeypatch.setattr(benchmark, "shipped_verifier", lambda size: str(world.verifier))
    weights = ["--identity-weights", world.weights, "--finding-weights", world.weights]
    benchmark.main([str(x) for x in (world.data, *weights, "--counts", 64, "--keep", 4)])
    rows = shown(capsys)
    assert len(rows) == 5
    nothing, coarse, *_ = rows
    assert float(nothing["own first"]) == 1, "an image that was not redrawn is most like itself"
    assert float(coarse["own first"]) < 1


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_the_empirical_tier_is_attacked_at_every_number_of_directions(world, tmp_path, capsys):
    benchmark = script("empirical")
    weights = ["--identity-weights", world.weights, "--finding-weights", world.weights]
    few = ["--identity", 8, "--restarts", 1, "--practice", 20, "--taught", 200]
    options = [*weights, *few, "--verifier", world.verifier, "--layouts", 0, 3]
    image = tmp_path / "picture.svg"
    benchmark.main([str(x) for x in (world.data, *options, "--picture", image)])
    rows = {row["kept"]: row for row in shown(capsys)}
    assert [*rows] == ["originals", "all but the coarsest level", "0 of layout", "3 of layout"]
    layout = "layout, own / stranger's"
    assert rows["originals"][layout].startswith("1.00 / ")
    assert rows["originals"]["adaptive, largest"] == "-", "which is known"
    own = {name: float(row[layout].split(" / ")[0]) for name, row in rows.items()}
    assert own["originals"] > own["3 of layout"] > own["0 of layout"]
    assert "of layout" not in image.read_text()
    assert "<svg" in image.read_text()


@pytest.mark.slow
def test_sizes_are_compared_with_originals_of_that_size(world, tmp_path, capsys):
    benchmark = script("sizes")
    large = tmp_path / "large"
    large.mkdir()
    shutil.copy(world.data / "manifest.csv", large)
    for row in world.rows:
        Image.open(world.data / row["file"]).resize((32, 32)).save(large / row["file"])
    options = ["--weights", world.weights, "--source", "made-up", "--sizes", 16, 32]
    options += ["--steps", STEPS, "--sheet", tmp_path / "sheets"]
    benchmark.main([str(x) for x in (large, *options)])
    rows = {(row["size"], row["release"]): row for row in shown(capsys)}
    assert ("16", "private, no detail") not in rows, "there is nothing to enlarge"
    assert ("32", "private, no detail") in rows
    for size in ("16", "32"):
        originals = rows[size, "originals"]
        assert originals["Frechet"] == "0.00", "originals are as far as nothing"
        assert originals["largest gap, dB"] == "0.0"
        assert float(rows[size, "private"]["Frechet"]) > 0
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"16.png", "32.png"}


@pytest.mark.slow
def test_every_preset_is_probed(world, monkeypatch, capsys):
    benchmark = script("presets")
    small = {k: benchmark.PRESETS[k] for k in ("strict", "balanced", "empirical", "dp-glow")}
    monkeypatch.setattr(benchmark, "PRESETS", small)
    monkeypatch.setattr(benchmark, "Probe", partial(benchmark.Probe, resamples=20))
    monkeypatch.setattr(probe_table, "ALL_PCS", (16,))  # of an attacker on the whole latent
    benchmark.main([str(x) for x in (world.data, "--weights", world.weights)])
    rows = {row["preset"]: row for row in shown(capsys)}
    assert [*rows] == ["no privacy", *small]
    assert rows["strict"]["finding AUC"] == "-", "of an image of which nothing is left"
    assert rows["empirical"]["epsilon"] == "none"
    first = {name: row["named first of all"] for name, row in rows.items()}
    assert first["empirical"] == "1.000", "who knows what is kept knows the source"
    assert first["dp-glow"].startswith("1.000 (")


@pytest.mark.slow
def test_budgets_are_read_off_noised_latents(world, tmp_path):
    table = tmp_path / "table.json"
    options = ["--weights", world.weights, "--sizes", 1, 2, "--epsilons", 50, "--seeds", 1]
    script("budget").main([str(x) for x in (world.data, *options, "--json", table)])
    rows = json.loads(table.read_text())["rows"]
    assert {row["k"] for row in rows} == {1, 2}
    aucs = {(row["mechanism"], row["k"]): row["auc"] for row in rows}
    assert [row["epsilon"] for row in rows if row["mechanism"] == "none"] == [None, None]
    assert {name for name, _ in aucs} == {"none", *names("mechanisms")}
    assert aucs["none", 2] > 0.9
    assert aucs["laplace_l1", 2] > 0.8, "so much budget leaves the finding"


@pytest.mark.slow
def test_directions_are_chosen_on_val_and_on_folds_of_train(world, monkeypatch, capsys):
    benchmark = script("directions")
    monkeypatch.setattr(benchmark, "ALPHAS", (0.9,))
    monkeypatch.setattr(benchmark, "GAMMAS", (0.0, 0.9))
    monkeypatch.setattr(benchmark, "SIZES", (1, 2))
    monkeypatch.setattr(benchmark, "Probe", partial(benchmark.Probe, resamples=2))
    benchmark.main([str(x) for x in (world.data, "--weights", world.weights, "--folds", 2)])
    rows = shown(capsys)
    assert [row["gamma"] for row in rows] == ["0", "0.9"]
    for row in rows:
        val, folds = row["k = 1"].split("; ")
        finding, identity = map(float, val.split(" / "))
        assert min(finding, float(folds)) > 0.9 > identity


@pytest.mark.slow
def test_the_frontier_is_tabulated_and_drawn(world, tmp_path, capsys):
    options = ["--state", tmp_path / "state", "--split", "test", "--finding-weights"]
    options += [world.weights, "--epsilons", 8, "--controls", "--oracle"]
    options += ["--seeds", 1, "--steps", STEPS, "--picture", tmp_path / "picture.svg"]
    script("frontier").main([str(x) for x in (world.data, *options)])
    rows = {row["release"].split(",")[0]: row for row in shown(capsys)}
    assert [*rows] == ["epsilon 8", "oracle"]
    for row in rows.values():
        for setting in ("p/o", "o/p"):
            assert re.fullmatch(r"[01]\.\d{3} \(\S+-\S+\)", row[f"{setting}, mean of findings"])
        assert row["p/o, normal or not"] == "-", "two findings are told apart as one"
        assert row["adaptive, max"] == "-", "nobody attacked"
    assert (tmp_path / "picture.svg").read_text().startswith("<?xml")


@pytest.mark.slow
def test_what_a_synthetic_cohort_teaches_is_measured_beside_originals(world, tmp_path, capsys):
    benchmark, sheet = script("central"), tmp_path / "sheet.png"
    options = ["--weights", world.weights, "--source", "made-up", "--patients", 30, "--images", 40]
    options += ["--epsilons", 60, "--sheet", sheet]
    benchmark.main([str(x) for x in (world.data, *options)])
    rows = shown(capsys)
    ways = ["fresh samples", "local balanced", *names("synthesis methods")]
    assert [row["method"] for row in rows] == ["originals", *ways]
    assert all(0 <= float(row["mean of findings"].split()[0]) <= 1 for row in rows)
    assert float(rows[0]["normal or not"].split()[0]) > 0.9
    with Image.open(sheet) as picture:
        assert picture.width > 16


@pytest.mark.slow
def test_what_sites_learn_together_is_measured_beside_one_curator(world, capsys):
    options = ["--weights", world.weights, "--source", "made-up", "--sites", 2, "--images", 40]
    script("federation").main([str(x) for x in (world.data, *options, "--epsilons", 60)])
    rows = shown(capsys)
    ways = ["one curator", "sites together", "sites together, askew", "one site alone"]
    assert [row["who learns"] for row in rows] == ways
    assert [row["sites"] for row in rows] == ["1", "2", "2", "1"]
    whole, together, _, alone = (int(row["patients"]) for row in rows)
    assert whole == together == 2 * alone or abs(whole - 2 * alone) == 1


@pytest.mark.slow
def test_what_students_of_voters_learn_is_measured_beside_a_head(world, capsys):
    options = ["--weights", world.weights, "--source", "made-up", "--findings", "normal;pneumonia"]
    options += ["--teachers", 4, "--questions", 9, "--epsilons", 60, "--seeds", 1]
    script("votes").main([str(x) for x in (world.data, *options)])
    rows = shown(capsys)
    ways = ["the cohort, without privacy", "true answers", "the DP head", "teachers"]
    assert [row["who teaches"] for row in rows][:4] == ways
    assert {"neighbours", "teachers, laplace", "ten sites, a teacher each"} <= {
        row["who teaches"] for row in rows
    }
    assert all(0 <= float(row["normal or not"].split()[0]) <= 1 for row in rows)
    together = next(row for row in rows if row["who teaches"] == "ten sites, a teacher each")
    assert float(together["of a site"]) == 60


@pytest.mark.slow
def test_where_noise_goes_in_is_measured_beside_none(world, capsys):
    options = ["--weights", world.weights, "--source", "made-up", "--patients", 30]
    options += ["--epsilons", 5000, "--seeds", 1, "--methods", "no noise", "head", "output"]
    script("private").main([str(x) for x in (world.data, *options)])
    rows = shown(capsys)
    assert [row["method"] for row in rows] == ["no noise", "head", "output"]
    assert [row["noise in"] for row in rows] == ["none", "gradient", "output"]
    assert all(float(row["AUC"].split()[0]) > 0.5 for row in rows)


@pytest.fixture
def features(world, monkeypatch):
    """A verifier of the world's size."""
    verifier = Verifier.load(str(world.verifier))
    for name in ("flows", "candidates"):
        monkeypatch.setattr(script(name), "SIZE", 16)
        monkeypatch.setattr(script(name), "verifier_features", lambda: verifier)


@pytest.mark.slow
@pytest.mark.usefixtures("quick", "features")
def test_flows_are_measured_beside_the_first(world, tmp_path):
    table, again = tmp_path / "table.json", tmp_path / "again.safetensors"
    shutil.copy(world.weights, again)
    options = ["--source", "made-up", "--condition", "finding", "--repeats", 2, "--json", table]
    script("flows").main([str(x) for x in (world.data, world.weights, again, *options)])
    first, second = json.loads(table.read_text())["rows"]
    assert first["ratio"]["value"] == 1
    measured = ("shape", "bits", "frechet", "auc")
    assert all(first[name] == second[name] for name in measured), "the same flow"
    assert second["encode"]["value"] > 0


@pytest.mark.slow
@pytest.mark.usefixtures("features")
def test_candidates_are_measured_beside_weights_of_before(world, capsys):
    options = ["--weights", world.weights, "--before", world.weights, "--counts-before", 1]
    options += ["--source", "made-up", "--counts", 1, 2, "--readers", 1, "--steps", STEPS]
    script("candidates").main([str(x) for x in (world.data, *options)])
    rows = {row["images"]: row for row in shown(capsys)}
    assert [*rows] == ["originals of others", "before: one of 1", "one of 1", "one of 2"]
    one, two = rows["one of 1"], rows["before: one of 1"]
    assert one["Frechet distance"] == two["Frechet distance"], "the same weights"
    assert rows["originals of others"]["reader"] == "-"
    assert 0 <= float(one["of features"].split()[0]) <= 1
