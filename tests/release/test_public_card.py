"""What is public of a release tells nothing of which inputs are equal or were refused."""

import json
import re
import shutil

import pytest
from PIL import Image, PngImagePlugin

from latentdp.reports.compliance import ComplianceManifest
from tests.support.folders import card, go, images, picture_at, tree

RANDOM = ("release", "vault", "contents_sha256", "compliance")


def without_what_is_counted(page: str) -> str:
    """The text of a page without images, their number, and digests, which are random."""
    page = re.sub(r"<li><img.*?</li>\s*", "", page)
    return re.sub(r"\b[0-9a-f]{16,64}\b|\b[456]\b", "", page)


def public(place) -> tuple[dict, str]:
    """Card and page, but for the number of files and what is random."""
    stated = card(place)
    assert stated["counts"].pop("images_in_release") == len(images(place))
    known = {key: value for key, value in stated.items() if key not in RANDOM}
    manifest = ComplianceManifest.read(place / "out" / "compliance.json")
    known["done"] = [(e.action, e.what, e.attributes, e.passes_on) for e in manifest.entries]
    page = (place / "out" / "release.html").read_text()
    return known, without_what_is_counted(page)


def resave(path, to):
    """The same picture in other bytes."""
    note = PngImagePlugin.PngInfo()
    note.add_text("hello", "probe")
    Image.open(path).save(to, pnginfo=note)


@pytest.mark.promise(
    "Nothing public but the number of files tells whether two inputs show one picture, or whether "
    "one was refused."
)
@pytest.mark.parametrize("harm", ["another picture", "the picture of the probe", "refused"])
def test_who_adds_a_copy_of_a_picture_learns_nothing_from_the_card(tmp_path, harm):
    """Of five pictures one is the probe's, which may be the target's, or another one's."""
    for number in range(4):
        picture_at(tmp_path / "in" / f"{number}.png", number)
    resave(tmp_path / "in" / "0.png", tmp_path / "in" / "probe.png")
    summary = go(tmp_path)
    assert (summary.duplicates, len(images(tmp_path))) == (1, 4)
    was = public(tmp_path)
    shutil.rmtree(tmp_path / "out")
    shutil.rmtree(tmp_path / "vault")
    if harm == "another picture":
        picture_at(tmp_path / "in" / "0.png", 7)
    elif harm == "refused":
        (tmp_path / "in" / "0.png").write_bytes(b"nothing")
    summary = go(tmp_path)
    told = {"another picture": (0, {}), "refused": (0, {"unreadable": 1})}.get(harm, (1, {}))
    assert (summary.duplicates, summary.quarantined) == told, "the steward is told"
    assert public(tmp_path) == was


def test_what_anybody_can_count_is_named_as_not_covered(tmp_path):
    picture_at(tmp_path / "in" / "0.png", 0)
    go(tmp_path)
    (line,) = [x for x in card(tmp_path)["guarantee"]["not_covered"] if "number of files" in x]
    assert "share a pseudonymous patient" in line
    told = {p.name for p in tree(tmp_path / "out")} - set(images(tmp_path))
    tables = {"metadata.csv", "datalist.json"}
    assert told - {".latentdp.lock"} == tables | {
        "images", "release.json", "release.html", "compliance.json", ".latentdp",
    }  # fmt: skip


def test_a_card_of_0_1_is_read_and_tells_it_no_longer(tmp_path):
    picture_at(tmp_path / "in" / "0.png", 0)
    go(tmp_path)
    stated = card(tmp_path)
    del stated["contents_sha256"]
    last_run = {"inputs": 3, "outputs": 1, "duplicates": 1, "quarantined": 1}
    stated["counts"]["last_run"] = last_run
    (tmp_path / "out" / "release.json").write_text(json.dumps(stated))
    assert go(tmp_path).already == 1
    assert card(tmp_path)["counts"] == {"images_in_release": 1}
