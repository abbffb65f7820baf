"""`latentdp evaluate`, as a user runs it, on releases of ours and of others."""

import csv
import json
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import latentdp
from latentdp.errors import InputError
from latentdp.evaluation.evaluate_folders import evaluate
from latentdp.evaluation.load_release import recipe_of
from latentdp.evaluation.pairing import SourceLink, some_patients
from latentdp.evaluation.signature import is_signed
from latentdp.reports.evaluation import Evaluation
from latentdp.vault.default_vault import default_vault
from latentdp.vault.vault import Vault
from tests.support.places import SAMPLES
from tests.support.world import World

EFFORT = ("--restarts", 2, "--steps", 4, "--json")
pytestmark = pytest.mark.usefixtures("least_effort")


@pytest.fixture
def originals(world, tmp_path) -> Path:
    """The test split as a folder of pictures, large enough to be taken."""
    folder = tmp_path / "in"
    folder.mkdir()
    for row in world.of("test"):
        picture = Image.open(world.data / row["file"])
        picture.resize((64, 64), Image.Resampling.NEAREST).save(folder / row["file"])
    return folder


def about(world: World, path: Path) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "patient", "finding", "label", "sex", "age", "view"])
        for r in world.of("test"):
            finding = "normal" if r["labels"] == "NORMAL" else "finding"
            row = [r["file"], r["patient_id"], finding, finding, r["sex"], r["age"], r["view"]]
            writer.writerow(row)
    return path


def release_by(
    world: World,
    originals: Path,
    tmp_path: Path,
    make_private,
    names=lambda i: f"{i * 37 % 101}.png",
) -> tuple[Path, Path]:
    """Another method's release, with the CSV that says which is which."""
    out, pairs = tmp_path / "out", tmp_path / "pairs.csv"
    out.mkdir(exist_ok=True)
    with pairs.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["original", "private", "patient", "finding", "sex", "age", "split"])
        for i, row in enumerate(world.of("test")):
            pixels = np.asarray(Image.open(originals / row["file"]))
            Image.fromarray(make_private(pixels, i)).save(out / names(i))
            split = "practice" if int(row["patient_id"].split("-")[1]) < 12 else "target"
            told = [row["patient_id"], row["labels"], row["sex"], row["age"], split]
            writer.writerow([row["file"], names(i), *told])
    return out, pairs


def evaluation(command, capsys, *arguments) -> dict:
    code = command("evaluate", *arguments)
    told = capsys.readouterr()
    assert code in (0, 6), told.err
    return json.loads(told.out) | {"code": code, "err": told.err}


def outcome(found: dict, attack: str, **wanted) -> dict:
    rows = [
        o
        for o in found["outcomes"]
        if o["attack"] == attack and all(v in o[k] for k, v in wanted.items())
    ]
    assert rows, (attack, wanted)
    return rows[0]


def test_a_release_of_ours_from_folder_to_card(world, originals, tmp_path, command, capsys):
    out = tmp_path / "out"
    given = ("privatize", originals, out, "--weights", world.weights, "--size", 64)
    assert command(*given) == 0
    capsys.readouterr()
    table = about(world, tmp_path / "about.csv")
    call = (originals, out, "--about", table, "--verifier", world.verifier, *EFFORT)
    found = evaluation(command, capsys, *call)
    assert found["code"] == 0
    assert found["cohort"]["images"] + found["practice"]["images"] == len(world.of("test"))
    assert found["method"]["guarantee"]["epsilon"] == pytest.approx(8, abs=0.1)
    assert not found["verdict"]["refuted"]
    assert {c["method"]["name"] for c in found["controls"]} >= {"raw", "noise-only", "label-mean"}
    names = {o["attack"] for o in found["outcomes"]}
    assert names >= {"frozen", "adaptive", "retrieval", "linkage", "likelihood", "averaging"}
    assert names >= {"reconstruction", "features", "side_channels", "attributes"}
    adaptive = outcome(found, "adaptive", metric="auc (max)")
    assert len(adaptive["detail"]["restarts"]) == 2
    assert adaptive["low"] <= adaptive["value"] <= adaptive["high"]
    assert adaptive["ceiling"] == pytest.approx(1 / (1 + np.exp(-8)), abs=1e-3)
    card = json.loads((out / "release.json").read_text())
    assert found["release"]["release"] == card["release"]
    assert found["release"]["weights_sha256"] == card["weights"]["sha256"]
    assert found["population"]["files"] == len(world.of("test"))
    signed_by = Vault(default_vault(out), read_only=True)
    told = {key: value for key, value in found.items() if key not in ("code", "err", "page")}
    assert is_signed(Evaluation.from_json(told), signed_by)
    raw = next(c for c in found["controls"] if c["method"]["name"] == "raw")
    assert outcome(raw, "frozen", metric="auc")["value"] > 0.9
    assert any(m["setting"] == "p/o" for m in found["utility"])
    read = {m["utility"] for m in found["utility"] if m["metric"] == "told apart"}
    assert read >= {"realism", "periodicity", "power_spectrum", "edge_sharpness"}
    for row in (*found["outcomes"], *found["utility"]):
        assert row["low"] is None or row["low"] <= row["value"] <= row["high"], row
    assert "laplace_l1 on 2 latent dimensions, epsilon " in found["method"]["title"]
    assert "latent dimensions drawn anew" in found["method"]["title"]
    image = card["guarantee"]["image"]["epsilon"]
    assert found["patient"]["epsilon"] == pytest.approx(3 * image), "whom --about joins"

    folder = default_vault(out) / "evaluation"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {p.name for p in folder.iterdir()} >= {
        "evaluation.json",
        "evaluation.html",
        "hardest.html",
    }
    card = json.loads((out / "release.json").read_text())
    assert card["evaluation"]["lines"] == found["verdict"]["lines"]
    page = (out / "release.html").read_text()
    assert "outside the guarantee" in page
    for row in world.of("test"):
        assert row["patient_id"] not in page
    assert command("verify", out) == 0

    capsys.readouterr()
    again = evaluation(command, capsys, *call)
    for key in ("seconds", "code", "err", "signature"):  # signed with its seconds
        found.pop(key), again.pop(key)
    for part in (*found["controls"], *again["controls"]):
        part.pop("seconds")
    assert again == found, "resumed from its parts: the same report"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report(world, originals, tmp_path, command, capsys):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 30, (200, 64, 64))
    out, pairs = release_by(
        world, originals, tmp_path, lambda p, i: np.uint8(np.clip(p + noise[i], 0, 255))
    )
    made = []
    for name in ("a", "b"):
        options = ("--pairs", pairs, "--size", 16, "--verifier", world.verifier)
        found = evaluation(
            command, capsys, originals, out, *options, "--report", tmp_path / name, *EFFORT
        )
        made.append((found["outcomes"], found["utility"]))
    assert made[0] == made[1]


def test_raw_images_are_found_and_a_false_claim_is_refuted(
    world, originals, tmp_path, command, capsys
):
    out, pairs = release_by(world, originals, tmp_path, lambda p, i: p)
    options = ("--pairs", pairs, "--size", 16, "--verifier", world.verifier)
    found = evaluation(
        command, capsys, originals, out, *options, "--claimed-epsilon", 0.5, *EFFORT
    )
    assert Path(found["page"]) == default_vault(out) / "evaluation" / "evaluation.html"
    assert {p.name for p in out.parent.iterdir()} == {"in", "out", "pairs.csv"}, "none beside OUT"
    assert outcome(found, "linkage", metric="rank-1")["value"] == 1.0
    assert found["code"] == 6
    assert "REFUTED" in found["err"]
    assert "ceiling" in found["err"]
    assert found["verdict"]["refuted"]
    assert not found["verdict"]["claims"][0]["holds"]
    assert found["patient"]["epsilon"] == pytest.approx(1.5), "of the patient with three images"


@pytest.mark.slow
def test_names_that_keep_the_order_are_found(world, originals, tmp_path, command, capsys):
    rng = np.random.default_rng(0)

    def noise(pixels, i):
        return rng.integers(0, 256, pixels.shape).astype(np.uint8)

    options = ("--size", 16, "--verifier", world.verifier, "--quick", *EFFORT)
    out, pairs = release_by(world, originals, tmp_path, noise, names=lambda i: f"{i:04d}.png")
    found = evaluation(command, capsys, originals, out, "--pairs", pairs, *options)
    named = outcome(found, "side_channels", setting="name")
    assert named["headline"]
    assert named["value"] > 0.5
    auc = outcome(found, "adaptive", metric="auc (max)")
    assert auc["low"] <= 0.5 <= auc["high"], "the pictures say nothing"


@pytest.mark.slow
def test_progress_goes_forward_to_the_end(world, originals, tmp_path):
    out, pairs = release_by(world, originals, tmp_path, lambda p, i: 255 - p)
    told: list[tuple[float, str]] = []
    latentdp.evaluate(
        originals, out, pairs=pairs, size=16, verifier=str(world.verifier), restarts=1, steps=1,
        report=tmp_path / "report", progress=lambda share, words: told.append((share, words)),
    )  # fmt: skip
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0] < 0.05, shares[-1]) == (True, 1.0)
    words = " ".join(words for _, words in told)
    for stage in ("reading both folders", "adaptive", "classification", "control raw"):
        assert stage in words
    assert all(words for _, words in told), "a share without a word for what is done"


def test_another_vault_than_that_of_the_release_is_told_how_to_name_its_own(tmp_path):
    (tmp_path / "reports").mkdir()
    with pytest.raises(InputError, match=r"name the one .* with --vault"):
        recipe_of(tmp_path, "0" * 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--label-map", "x.csv"), "--label-map belongs to --labels"),
        (("--claimed-epsilon", 1), "belong to --pairs"),
        (("--restarts", 0), "at least 1"),
        (("--auc-at-most", 0.2), "from 0.5 to 0.6"),
        (("--auc-at-most", 1), "from 0.5 to 0.6"),
        (("--claimed-delta", 0.1), "belongs to --claimed-epsilon"),
        (("--images", 1), "at least 2"),
        (("--report", "out/x"), "must not lie in IN or OUT"),
        ((), "release of latentdp"),
    ],
)
def test_wrong_usage(originals, tmp_path, command, capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    assert command("evaluate", originals, tmp_path / "out", *arguments) == 2
    assert message in capsys.readouterr().err


def test_a_release_of_one_patient_leaves_nobody_to_practise_on(
    tiny_weights, tmp_path, command, capsys
):
    out, source = tmp_path / "out", SAMPLES / "clinic-a"
    assert command("privatize", source, out, "--weights", tiny_weights, "--size", 64) == 0
    assert command("evaluate", source, out, "--quick") == 2
    assert "at least 2 patients" in capsys.readouterr().err
    assert not (tmp_path / "out.vault" / "evaluation").exists()


def test_a_csv_that_lacks_a_column_or_a_file(originals, tmp_path, command, capsys):
    pairs = tmp_path / "pairs.csv"
    (tmp_path / "out").mkdir()
    pairs.write_text("original,private\n")
    assert command("evaluate", originals, tmp_path / "out", "--pairs", pairs) == 2
    assert "lacks the column 'patient'" in capsys.readouterr().err
    pairs.write_text("original,private,patient\nnone.png,none.png,Jane\n")
    assert command("evaluate", originals, tmp_path / "out", "--pairs", pairs) == 2
    told = capsys.readouterr().err
    assert "1 of 1 pairs name a file that is not there" in told
    assert "Jane" not in told
    table = "original,private,patient,split\n"
    for rows, message in (
        ("0115.png,../in/0115.png,a,\n", "outside its folder"),
        ("0115.png,x.png,a,\n0116.png,x.png,a,\n", "named more than once"),
        ("0115.png,x.png,a,practice\n0116.png,y.png,a,\n", "in practice and target"),
        ("0115.png,x.png,a,practice\n", "nobody is a target"),
    ):
        pairs.write_text(table + rows)
        assert command("evaluate", originals, tmp_path / "out", "--pairs", pairs) == 2
        assert message in capsys.readouterr().err


def test_a_sample_takes_whole_patients(world, originals, tmp_path):
    links = [
        SourceLink(
            originals / row["file"], originals / row["file"], {"patient": row["patient_id"]}
        )
        for row in world.of("test")
    ]
    some = some_patients(links, 20, seed=1)
    assert 20 <= len(some) <= 23
    chosen = {link.known["patient"] for link in some}
    assert sum(link.known["patient"] in chosen for link in links) == len(some)
    assert some_patients(links, 20, seed=1) == some
    assert some_patients(links, 20, seed=2) != some
    assert some_patients(links, 1000, seed=1) == links


def test_whoever_attacks_a_marked_release_sees_the_mark_on_neither_side(
    world, originals, tmp_path, command, capsys, monkeypatch
):
    """The corner of all originals, releases and copies is one and the same; the rest is not."""
    out, vault = tmp_path / "out", tmp_path / "vault"
    words = ("--vault", vault, "--weights", world.weights, "--size", 64)
    assert command("privatize", originals, out, *words) == 0
    seen = []

    class Seen(Exception):
        pass

    def examine(scene, *_, **__):
        seen.append(scene)
        raise Seen

    monkeypatch.setattr("latentdp.evaluation.evaluate.examine", examine)
    with pytest.raises(Seen):
        evaluate(
            originals, out, vault=vault, about=about(world, tmp_path / "about.csv"), quick=True
        )
    (scene,) = seen
    more, _ = scene.more(2, np.array([0, 1]))
    stacks = [scene.target.cohort.images, scene.practice.cohort.images]
    stacks += [scene.target.private[0], *scene.practice.private, *more]
    images = np.concatenate(stacks)
    corner = (slice(None), slice(3), slice(10))  # 7 by 36 pixels of 64, in 16, and a margin
    assert np.ptp(images[corner], axis=0).max() == 0
    assert np.ptp(images[:, 3:], axis=0).min() > 0
    assert np.ptp(images[:, :, 10:], axis=0).min() > 0
