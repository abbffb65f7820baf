"""The two HTML pages of a release, made by the command and opened in a real browser."""

import base64
import io
import json
import re
import shutil
import stat
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from latentdp import InputError
from latentdp.privacy.rounding import printed
from latentdp.release.inputs import find_files
from latentdp.reports import review_page
from latentdp.reports.release_page import write_release_page
from tests.support.html_page import Page
from tests.support.places import SAMPLES
from tests.support.sweeps import some

EVALUATED = {
    "date": "a day",
    "by": "0.1.0",
    "lines": ["linked with AUC 0.548 <b>"],
    "claims": [
        {"claim": "nobody is found", "holds": False, "threshold": "0.6", "measured": "0.7"},
        {"claim": "it is of use", "holds": True, "threshold": "0.8", "measured": "0.9"},
    ],
    "sha256": "ab12",
}


@pytest.fixture(scope="module")
def made(command, tmp_path_factory) -> Path:
    """A release of the samples, a picture of noise, and files whose names try to be HTML."""
    place = tmp_path_factory.mktemp("pages")
    shutil.copytree(SAMPLES, place / "in")
    noise = np.random.default_rng(0).integers(0, 256, (80, 80), dtype=np.uint8)
    Image.fromarray(noise).save(place / "in" / "MEIER-ANNA.png")
    (place / "in" / "<script>alert(1)<\u2044script>\x1b[31m").write_bytes(b"")
    assert command("privatize", place / "in", place / "out", "--vault", place / "vault") == 1
    return place


@pytest.fixture(scope="module", params=["out/release.html", "vault/review.html"])
def page(request, made) -> Path:
    return made / request.param


def test_pages_are_whole_html(page):
    read = Page(page)
    names = [tag for tag, _ in read.tags]
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert read.all("html") == [{"lang": "en"}]
    for once in ("title", "h1", "main", "header", "footer"):
        assert names.count(once) == 1
    assert names.count("table") == names.count("caption")
    assert read.all("img")
    assert all(image["alt"] for image in read.all("img"))
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    told = {a[key] for _, a in read.tags for key in ("aria-labelledby",) if key in a}
    linked = {a["href"].removeprefix("#") for a in read.all("a")}
    assert told | linked <= set(ids)


def test_pages_hold_all_they_show(page):
    read = Page(page)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in read.tags}
    for _, attributes in read.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action"):
            assert attributes.get(name, "#").startswith(("data:image/png;base64,", "#"))
    assert "url(" not in page.read_text(encoding="utf-8")
    for image in read.all("img"):
        with Image.open(io.BytesIO(base64.b64decode(image["src"].split(",")[1]))) as picture:
            assert picture.mode == "L"
            assert max(picture.size) <= 128


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"tool": "latentdp"}',
        '{"tool": "latentdp", "guarantee": NaN}',
    ],
)
def test_a_card_that_is_none_is_refused_in_one_line(tmp_path, command, capsys, text):
    (tmp_path / "release.json").write_text(text)
    assert command("report", tmp_path) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_public_page_names_nothing_of_the_sources(made):
    text = (made / "out" / "release.html").read_text(encoding="utf-8")
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)  # three letters are found there by chance
    canaries = {
        "Doe",
        "Jane",
        "Erika",
        "Invented",
        "clinic",
        "IM0001",
        "MEIER",
        "<script",
        "unreadable",
    }
    canaries |= {str(made), "2.25.", "LDP-"}
    for path in (file.path for file in find_files(made / "in")):
        canaries.add(path.name)
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except (pydicom.errors.InvalidDicomError, OSError):
            continue
        for keyword in (
            "PatientID",
            "PatientName",
            "StudyDate",
            "SOPInstanceUID",
            "StudyInstanceUID",
        ):
            canaries.add(str(dataset.get(keyword) or path.name))
    assert not [canary for canary in canaries if canary in text]
    assert not re.search(r"\b(19|20)\d\d-?[01]\d-?[0-3]\d\b", text)
    for row in rows(made):
        assert row.get("output", "no output") not in text, (
            "names are random, yet need not be there"
        )
        assert str(row.get("bits_per_dimension", "no bits")) not in text


def rows(made) -> list[dict]:
    (report,) = (made / "vault" / "reports").glob("*.jsonl")
    return [json.loads(line) for line in report.read_text().splitlines()]


def test_the_public_page_says_what_the_card_says(made):
    card = json.loads((made / "out" / "release.json").read_text())
    text = " ".join(Page(made / "out" / "release.html").text.split())
    for line in (*card["guarantee"]["statement"], *card["guarantee"]["not_covered"]):
        assert line in text
    for keyword in card["header"]:
        assert keyword in text
    for value in (card["weights"]["sha256"], card["recipe"]["digest"], card["weights"]["name"]):
        assert value in text
    assert printed(card["guarantee"]["image"]["epsilon"]) in text
    assert printed(card["guarantee"]["patient"]["epsilon"]) in text
    assert "INCOMPLETE" not in text
    assert len(Page(made / "out" / "release.html").all("img")) == 8


def test_the_public_page_is_made_again_from_the_folder_alone(made, command, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(made / "out", copy)
    first = (copy / "release.html").read_bytes()
    (copy / "release.html").unlink()
    assert command("report", copy) == 0
    assert capsys.readouterr().out.strip() == str(copy / "release.html")
    assert (copy / "release.html").read_bytes() == first


def altered(made, tmp_path, change) -> str:
    copy = tmp_path / "copy"
    shutil.copytree(made / "out", copy)
    card = json.loads((copy / "release.json").read_text())
    change(card)
    (copy / "release.json").write_text(json.dumps(card))
    return write_release_page(copy).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: c.update(status="incomplete"), 'class="banner caution" role="note">INCOMPLETE'),
        (lambda c: c["warnings"].append("WEAK: x"), 'class="banner caution" role="note">WEAK: x'),
        (
            lambda c: c.update(private=False, warnings=["NOT PRIVATE: the noise"]),
            'class="banner danger" role="note">NOT PRIVATE',
        ),
        (lambda c: c.update(private=False), "There is no guarantee"),
        (lambda c: c["guarantee"].update(unprotected=["4 of <b>"]), "NO GUARANTEE of an image"),
        (lambda c: c["guarantee"].update(unprotected=["4 of <b>"]), "<strong>4 of &lt;b&gt;<"),
        (lambda c: c["counts"].update(images_in_release=9), "MISMATCH"),
        (lambda c: c.update(evaluation={"restarts": 10}), '<th scope="row">restarts</th>'),
        (lambda c: c.update(evaluation=EVALUATED), "stand outside the guarantee"),
        (lambda c: c.update(evaluation=EVALUATED), "<li>linked with AUC 0.548 &lt;b&gt;</li>"),
        (
            lambda c: c.update(evaluation={"lines": ["REFUTED: x"]}),
            'class="banner danger" role="note">REFUTED: x',
        ),
        (lambda c: c.update(evaluation=EVALUATED), "<code>ab12</code>"),
        (
            lambda c: c.update(evaluation=EVALUATED),
            'class="banner caution" role="note">NOT SUPPORTED: nobody is found. Below '
            "stand the threshold",
        ),
        (lambda c: c["guarantee"]["image"].update(epsilon=4096.0), "10^1,779"),
    ],
)
def test_what_a_reader_must_not_overlook_comes_first(made, tmp_path, change, told):
    text = altered(made, tmp_path, change)
    assert told in text
    assert told not in (made / "out" / "release.html").read_text(encoding="utf-8")


def test_no_card_or_a_broken_one_is_one_line(made, command, tmp_path, capsys):
    assert command("report", tmp_path) == 2
    assert "expected a folder with a release.json" in capsys.readouterr().err
    with pytest.raises(InputError, match="another version"):
        altered(made, tmp_path, lambda card: card.pop("plan"))


def test_a_damaged_image_does_not_end_the_page(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made / "out", copy)
    victim = sorted((copy / "images").glob("*.dcm"))[0]
    victim.write_bytes(victim.read_bytes()[:900])
    assert len(Page(write_release_page(copy)).all("img")) == 7


def test_the_review_is_private_and_accounts_for_every_file(made):
    path = made / "vault" / "review.html"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = Page(path)
    assert "PRIVATE" in read.text.split("What to look at")[0]
    told = " ".join(read.text.split())
    for row in rows(made):
        if row["file"].isascii() and row["file"].isprintable():
            assert row["file"] in told
        assert row.get("message", "") in told
        assert row.get("output", "") in told
        assert row.get("patient", "") in told
    assert "<script" not in path.read_text(encoding="utf-8")
    assert "\\x1b[31m" in told
    assert "\x1b" not in told


def test_the_report_tells_what_the_page_needs(made):
    for row in rows(made):
        if row["status"] == "released":
            assert re.fullmatch("LDP-[0-9A-F]{16}", row["patient"])
            assert row["epsilon"] == pytest.approx(7.99853)
            assert isinstance(row["odd"], bool)
    (noise,) = [row for row in rows(made) if row["file"].endswith(".png")]
    assert noise["odd"]
    assert "ODD" in (made / "vault" / "review.html").read_text(encoding="utf-8")


def test_the_review_leads_with_weights_that_do_not_fit(made):
    lead = Page(made / "vault" / "review.html").text.split("Summary")[0]
    rated = sum("odd" in row for row in rows(made))
    assert f"POOR FIT: 1 of {rated} images ({1 / rated:.0%}) are unlike" in " ".join(lead.split())
    public = (made / "out" / "release.html").read_text(encoding="utf-8")
    assert "POOR FIT" not in public, "of the patients, without noise"


def test_the_inventory_holds_every_element_at_every_level(made):
    outputs = sorted((made / "out" / "images").iterdir())
    found = {element.place: element for element in review_page.inventory(outputs)}
    ids = {pydicom.dcmread(p).PatientID for p in outputs if p.suffix == ".dcm"}
    patients = found["(0010,0020) PatientID"]
    assert (patients.files, patients.distinct) == (7, 6)
    assert set(patients.values) == ids
    nested = "(0012,0064) DeidentificationMethodCodeSequence > (0008,0100) CodeValue"
    assert "113100" in found[nested].values
    assert found[nested].files == 7
    assert "(0002,0010) TransferSyntaxUID" in found
    assert found["PNG Description"].files == 1
    assert not [place for place in found if "PixelData" in place]
    held = {
        element.keyword
        for path in outputs
        if path.suffix == ".dcm"
        for element in pydicom.dcmread(path).iterall()
    }
    text = " ".join(found)
    assert all(keyword in text for keyword in held - {"PixelData"})


def test_a_rerun_keeps_what_was_known_of_each_image(made, command, tmp_path):
    """Nothing is made again, and the review still shows patients, bits and both pictures."""
    for name in ("in", "out", "vault"):
        shutil.copytree(made / name, tmp_path / name)
    (tmp_path / "vault").chmod(0o700)
    places = (tmp_path / "in", tmp_path / "out", "--vault", tmp_path / "vault")
    before = Page(tmp_path / "vault" / "review.html")
    assert command("privatize", *places) == 1
    after = Page(tmp_path / "vault" / "review.html")
    assert [i["src"] for i in after.all("img")] == [i["src"] for i in before.all("img")]
    assert all(row.get("patient", "") in after.text for row in rows(made))


def test_a_page_says_that_earlier_releases_count(command, tiny_weights, tmp_path):
    """Or its reader wonders at more images of a patient than there are here."""
    said = "Earlier releases from the same vault are among them."
    options = ("--vault", tmp_path / "vault", "--weights", tiny_weights)
    for name, epsilon in (("first", 4), ("second", 2)):
        out = tmp_path / name
        assert command("privatize", SAMPLES / "clinic-a", out, *options, "--epsilon", epsilon) == 0
    assert said not in (tmp_path / "first" / "release.html").read_text()
    assert said in (tmp_path / "second" / "release.html").read_text()


def test_thousands_of_files_stay_a_page(tmp_path, monkeypatch):
    report = tmp_path / "report.jsonl"
    lines = [
        {"file": f"{i:05}", "status": "quarantined", "reason": "not-dicom", "message": "no"}
        for i in range(5000)
    ]
    report.write_text("\n".join(map(json.dumps, lines)))
    path = review_page.write_review(
        tmp_path,
        report=report,
        source=tmp_path,
        out=tmp_path / "out",
        usual=None,
        read=lambda paths: [],
    )
    read = Page(path)
    assert len(read.all("tr")) < 2 * review_page.ROWS + 10
    assert "And 3,000 more, see" in " ".join(read.text.split())
    assert path.stat().st_size < 2e6


@pytest.mark.parametrize("width", some([1280, 500], [500]))
def test_pages_render_in_a_browser_without_network_or_errors(page, tmp_path, width):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    log, shot = tmp_path / "net.json", tmp_path / "shot.png"
    done = subprocess.run(
        [
            chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND",
            "--enable-logging=stderr",
            f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}",
            f"--screenshot={shot}", f"--window-size={width},4000", page.as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    asked = set(re.findall(r'"url":"((?:https?|wss?|ftp)://[^"]*)"', log.read_text()))
    assert not {url for url in asked if "google" not in url}, "the browser's own calls aside"
    with Image.open(shot) as picture:
        pixels = np.asarray(picture.convert("L"))
    assert pixels.shape[1] == width
    assert pixels.std() > 10, "there is something to see"
    assert (pixels[:, -8:] == 255).all(), "nothing runs out of the page on the right"
