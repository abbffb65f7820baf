"""What has no guarantee looks like none, wherever an epsilon is printed or written."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
import pytest

from latentdp import Guarantee, Privatizer, Recipe
from latentdp.data.png import texts
from latentdp.evaluation.methods.presets import PresetMethod
from latentdp.evaluation.run_attacks import describe_method
from latentdp.reports.card_guarantee import ImageGuarantee
from latentdp.reports.evaluation_page import method_facts
from latentdp.reports.evaluation_parts import MethodDescription, MethodGuarantee
from latentdp.reports.release_card import ReleaseCard
from latentdp.reports.release_page import write_release_page
from latentdp.vault.run_report import read_report
from tests.support import old_vault
from tests.support.folders import picture_at, radiograph_at
from tests.support.html_page import Page
from tests.support.sweeps import some

WAYS = {
    "empirical": ["--preset", "empirical", "--resample-identity", 16],
    "kept dimensions": ["--keep-label-dims", 3],
    "a public label": ["--label-release", "public"],
    "mirrored names": ["--layout", "mirror"],
    "dates": ["--shift-dates"],
    "characteristics": ["--retain-characteristics"],
    "device": ["--retain-device"],
    "all of it": [
        "--label-release", "public", "--keep-label-dims", 3, "--layout", "mirror", "--shift-dates",
        "--retain-characteristics", "--retain-device",
    ],
}  # fmt: skip
OF_A_PLAN = {"plan", "recipe"}  # what each part costs, and what was asked for


@dataclass
class Told:
    """All that commands said of one release, and where it lies.

    Attributes:
        place: Of the inputs, the release and its vault.
        dates_alone: Whether dates are all that is released exactly.
        documents: JSON by what wrote it.
        texts: For people, by what printed it.
    """

    place: Path
    dates_alone: bool
    documents: dict[str, object] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module", params=some(WAYS, ["empirical", "all of it"]))
def told(request, command, tiny_weights, tmp_path_factory) -> Told:
    """Three images of two patients and a picture, released in a way that protects not all."""
    place = tmp_path_factory.mktemp("way")
    for number, patient in enumerate(("P1", "P1", "P2")):
        radiograph_at(
            place / "in" / f"{number}.dcm", number, PatientID=patient, StudyDate="20200229",
            PatientSex="F", Manufacturer="KODAK",
        )  # fmt: skip
    picture_at(place / "in" / "p.png", 7)
    names = [*(f"{number}.dcm" for number in range(3)), "p.png"]
    (place / "labels.csv").write_text("file,label\n" + "".join(f"{n},a\n" for n in names))
    options = ["--weights", tiny_weights, *WAYS[request.param]]
    if "--layout" not in options or "--label-release" in options:
        options += ["--labels", place / "labels.csv"]
    release = ["privatize", place / "in", place / "out", "--vault", place / "vault", *options]
    layout = options.index("--layout") if "--layout" in options else len(options)
    explained = options[:layout] + options[layout + 2 :]  # `explain` knows no layout
    calls = {
        "explain": ["explain", place / "in", *explained],
        "explain a file": ["explain", place / "in" / "0.dcm", *explained],
        "preview": [*release, "--dry-run"],
        "privatize": release,
    }
    if request.param == "mirrored names":
        del calls["explain"], calls["explain a file"]
    said = Told(place, request.param == "dates")
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("sys.stdout.write", lines.append)
        for name, call in calls.items():
            for form in ([], ["--json"]):
                lines.clear()
                assert command(*call, *form) == 0
                if form:
                    said.documents[name] = json.loads("".join(lines))
                else:
                    said.texts[name] = " ".join("".join(lines).split())
    said.documents["card"] = json.loads((place / "out" / "release.json").read_text())
    said.texts["page"] = " ".join(Page(place / "out" / "release.html").text.split())
    return said


def facts(value: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every key of a document with the way to it, but of the plan and the recipe."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in OF_A_PLAN:
                yield (*path, key), part
                yield from facts(part, *path, key)
    elif isinstance(value, list):
        for part in value:
            yield from facts(part, *path)


@pytest.mark.promise(
    "What has no guarantee looks like none: on card, page and header and in every command, "
    "epsilon is infinity."
)
def test_no_document_states_a_number_for_the_whole(told):
    for name, document in told.documents.items():
        stated = list(facts(document))
        whole = [(path, v) for path, v in stated if re.match("epsilon|patient_epsilon", path[-1])]
        assert whole, name
        for path, value in whole:
            assert value is None or "noised_part" in path[-1], (name, path)
        reasons = [value for path, value in stated if path[-1] == "reason"]
        assert reasons, name
        assert all(str(reason).startswith("unprotected: ") for reason in reasons)
        assert not any(value for path, value in stated if path[-1] == "private"), name
        bounds = {"verification_auc_at_most", "rate"}
        assert {value for path, value in stated if path[-1] in bounds} == {None}
        (lines,) = (value for path, value in stated if path == ("warnings",))
        assert any("NO GUARANTEE of an image: epsilon is infinity" in line for line in lines)


@pytest.mark.promise(
    "What has no guarantee looks like none: on card, page and header and in every command, "
    "epsilon is infinity."
)
def test_no_text_sounds_like_a_guarantee(told):
    for name, text in told.texts.items():
        assert "NO GUARANTEE of an image: epsilon is infinity" in text, name
        assert "no bound" in text, name
        assert "under differential privacy" not in text, name
        apart = r"Apart from the dates, among sources that agree in them: \w+ [^.]*AUC at most"
        bounds = len(re.findall("AUC at most", text))
        assert bounds == len(re.findall(apart, text)), name
        assert not bounds or told.dates_alone, name
        assert "WEAK" not in text, "there is nothing to be weak"
        for number in re.finditer(r"indistinguishable", text):
            before = text[max(0, number.start() - 250) : number.start()]
            assert "noised part alone" in before, name
    page = told.texts["page"]
    assert "There is no guarantee." in page
    for heading in ("Epsilon of each image", "Epsilon of a patient, at most"):
        assert page.split(heading)[1].split()[0].startswith("infinity")


@pytest.mark.promise(
    "What has no guarantee looks like none: on card, page and header and in every command, "
    "epsilon is infinity."
)
def test_no_header_claims_it(told):
    images = sorted((told.place / "out" / "images").rglob("*.*"))
    assert len(images) == 4
    for path in images:
        if path.suffix == ".png":
            assert "NO GUARANTEE of a whole image" in dict(texts(path))["PNG Description"]
            continue
        dataset = pydicom.dcmread(path)
        assert "NO GUARANTEE of a whole image" in dataset.DerivationDescription
        assert len(dataset.DerivationDescription) <= 1024
        codes = {
            item.CodeValue: item.CodeMeaning for item in dataset.DeidentificationMethodCodeSequence
        }
        assert "LATENT-DP" not in codes
        assert "without a guarantee" in codes["LATENT-NO-DP"]
        assert "no guarantee of the whole" in dataset.DeidentificationMethod[1]
        assert all(len(line) <= 64 for line in dataset.DeidentificationMethod)


def test_it_is_verified_as_what_it_is(told, command, capsys):
    assert command("verify", told.place / "out") == 0
    assert "NO GUARANTEE of an image" in " ".join(capsys.readouterr().out.split())
    card = told.place / "out" / "release.json"
    true = card.read_text()
    for part in ("image", "patient", "image_approximate"):
        false = json.loads(true)
        false["guarantee"][part] |= {"epsilon": 0.0, "private": True}
        card.write_text(json.dumps(false))
        assert command("verify", told.place / "out") == 1
    false = json.loads(true) | {"private": True}
    card.write_text(json.dumps(false))
    assert command("verify", told.place / "out") == 1
    card.write_text(true)


def test_a_card_of_0_1_is_not_believed(tmp_path):
    """It stated numbers beside what it listed as unprotected."""
    old_vault.restore(tmp_path)
    values = json.loads((tmp_path / "mirror" / "release.json").read_text())
    assert values["private"]
    assert values["guarantee"]["patient"]["epsilon"] > 0
    card = ReleaseCard.from_json(values)
    assert not card.private
    assert card.guarantee.image.epsilon is card.guarantee.patient.epsilon is None
    assert card.guarantee.image_approximate.epsilon is None
    assert card.warnings[0].startswith("NO GUARANTEE of an image")
    page = " ".join(Page(write_release_page(tmp_path / "mirror")).text.split())
    assert "There is no guarantee." in page
    assert "under differential privacy" not in page


@pytest.mark.parametrize(
    "changes",
    [{"label": "public"}, {"keep_label_dims": 3}, {"preset": "empirical", "resample_identity": 5}],
)
def test_a_release_in_memory_and_an_evaluation_say_so(tiny_flow, images, changes):
    asked = {"preset": "balanced", "label": "none"} | changes
    recipe = Recipe.from_preset(**asked)
    for guarantee in (
        Privatizer(tiny_flow, recipe).guarantee,
        Privatizer(tiny_flow, recipe)(images).guarantee,
        Privatizer(tiny_flow, recipe)(images).approximate,
    ):
        assert guarantee.epsilon == math.inf
        assert not guarantee.private
        assert "NO GUARANTEE" in str(guarantee)
        assert guarantee.noised_part.epsilon < 9
    method = PresetMethod(asked.pop("preset"), tiny_flow, **asked)
    assert describe_method(method).guarantee.epsilon is None


def test_an_evaluation_of_a_release_that_passes_on_more_than_its_method_says_so():
    """Mirrored names are no part of the recipe by which the method is known."""
    claimed = MethodGuarantee.of(Guarantee(epsilon=8.0))
    described = MethodDescription(name="m", title="m", guarantee=claimed, protects_all=False)
    assert described.guarantee.epsilon is None
    assert described.guarantee.epsilon_of_noised_part == 8.0
    assert described.guarantee.reason
    assert method_facts(described).epsilon == "infinite"
    assert "epsilon infinity" in method_facts(described).guarantee


def test_it_comes_last_where_epsilons_are_sorted():
    none, eight, one = (
        ImageGuarantee.of(guarantee)
        for guarantee in (
            Guarantee(epsilon=0.0).beside("the label"),
            Guarantee(epsilon=8.0),
            Guarantee(epsilon=1.0),
        )
    )
    assert sorted([none, eight, one], key=lambda stated: stated.value) == [one, eight, none]


def test_the_steward_is_told_so_too(told):
    """The private report and the page on which somebody signs."""
    reports = sorted((told.place / "vault" / "reports").glob("*.jsonl"))
    rows = [row for path in reports for row in read_report(path) if row.status == "released"]
    assert len(rows) == 4
    assert {row.epsilon for row in rows} == {None}
    assert all(row.epsilon_of_noised_part is not None for row in rows)
    review = " ".join(Page(told.place / "vault" / "review.html").text.split())
    assert review.count("infinity (noised part") == 4
