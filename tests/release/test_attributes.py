"""A release under weights that know several findings of an image."""

import copy
import csv
import json

import numpy as np
import pydicom
import pytest

from latentdp import InputError, Privatizer, Recipe
from latentdp.core.attributes import finding, labels_of, values_of
from latentdp.data.dicom.profile import BASIC
from latentdp.data.label_space import LabelSpace
from latentdp.models.checkpoints import save
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.plan import EXACT_ATTRIBUTES, Plan
from latentdp.privacy.randomized_response import Unlabelled
from latentdp.release.inputs import find_files
from latentdp.release.labelling import labelled
from latentdp.release.option_costs import option_costs
from latentdp.release.recipe_options import RecipeOptions
from latentdp.release.verify import verify, verify_card
from tests.support.attribute_flow import KNOWN, attribute_checkpoint, attribute_flow
from tests.support.folders import radiograph_at

LIST = ["Effusion; edema", "No Finding", "mass|Pleural Thickening", "effusion"]
EVERYTHING = tuple(one.name for one in KNOWN)


@pytest.fixture
def place(tmp_path):
    """Twelve radiographs of six patients, in AP and PA, and weights."""
    save(attribute_checkpoint(), tmp_path / "told.safetensors")
    for n in range(12):
        view = "PA" if n % 2 else "AP"
        path = tmp_path / "in" / f"{n:02}.dcm"
        radiograph_at(path, n, PatientID=f"P{n // 2}", ViewPosition=view)
    return tmp_path


def listed(place, text):
    path = place / "labels.csv"
    path.write_text(text)
    return path


def words(place, text, released=EVERYTHING, unlabelled=Unlabelled.UNKNOWN):
    """What each of the first inputs is known to show."""
    space, files = LabelSpace(KNOWN), find_files(place / "in")
    found = labelled(files, listed(place, text), None, space, BASIC, unlabelled, released)
    return [space.name(file.label) for file in found]


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_names_several_findings_and_the_header_the_view(place):
    text = "file,label\n" + "".join(f"{n:02}.dcm,{said}\n" for n, said in enumerate(LIST))
    assert words(place, text)[:5] == [
        "Edema;Effusion;AP",
        "No Finding;PA",
        "Mass;Pleural_Thickening;AP",
        "Effusion;PA",
        "",
    ]
    assert words(place, text, ("Mass",))[:3] == ["No Finding", "No Finding", "Mass"]


def test_columns_say_what_they_are_called_and_nothing_of_other_findings(place):
    text = (
        "file,Effusion,mass,sex,Age,view\n"
        "00.dcm,1,0,f,041Y,PA\n"
        "01.dcm,0,0,male,17,\n"
        "02.dcm,,,F,40,\n"
    )
    space, files = LabelSpace(KNOWN), find_files(place / "in")
    found = labelled(
        files, listed(place, text), None, space, BASIC, Unlabelled.UNKNOWN, EVERYTHING
    )
    values = values_of(KNOWN, np.array([file.label for file in found]))
    assert values[0].tolist() == [-1, 1, 0, -1, 1, 0, 1], "the list outranks the header"
    assert values[1].tolist() == [-1, 0, 0, -1, 1, 1, -1], "nobody of 17 is in a band"
    assert (values[2:] == -1).all(), "without a finding a row is empty"


def test_a_column_that_denies_all_speaks_of_all_only_where_it_is_marked(place):
    text = (
        "file,No Finding,Effusion,sex\n"
        "00.dcm,1,0,missing\n"  # which is not male
        "01.dcm,0,1,woman\n"
        "02.dcm,0,0,male\n"
        "03.dcm,,,\n"
    )
    space, files = LabelSpace(KNOWN), find_files(place / "in")
    found = labelled(
        files, listed(place, text), None, space, BASIC, Unlabelled.UNKNOWN, EVERYTHING
    )
    values = values_of(KNOWN, np.array([file.label for file in found]))
    assert values[0].tolist() == [0, 0, 0, 0, 0, -1, -1]
    assert values[1].tolist() == [-1, 1, -1, -1, 1, 0, -1], (
        "of what has no column nothing is known"
    )
    assert values[2].tolist() == [-1, 0, -1, -1, 0, 1, -1], "what is not named may be there"
    assert (values[3:] == -1).all()


def test_zeros_do_not_say_that_all_is_normal(place):
    space = LabelSpace((finding("Edema"), finding("Normal")))
    files = find_files(place / "in")
    path = listed(place, "file,Edema,Normal\n00.dcm,0,0\n01.dcm,0,1\n")
    names = ("Edema", "Normal")
    found = labelled(files, path, None, space, BASIC, Unlabelled.UNKNOWN, names)
    values = values_of(space.attributes, np.array([file.label for file in found]))
    assert values[:2].tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\n00.dcm,effusion;nodule\n", "do not know the labels 'nodule'.*--start"),
        ("file,label\n00.dcm,effusion;No Finding\n", "line 2: .*contradict each other"),
        ("file,No Finding,Effusion\n00.dcm,1,1\n", "line 2: .*contradict.* in 1 line;"),
        ("file,label\n00.dcm,effusion\n", "11 inputs have no label"),
    ],
)
def test_nothing_is_silently_dropped(place, text, message):
    with pytest.raises(InputError, match=message):
        words(place, text, unlabelled=Unlabelled.REFUSE)


def test_a_release_by_the_command(place, command, capsys):
    """DICOM with several findings, privatized, listed, verified and explained."""
    text = "file,label\n" + "".join(f"{n:02}.dcm,{LIST[n % 4]}\n" for n in range(12))
    given = ["--labels", listed(place, text), "--weights", place / "told.safetensors"]
    chosen = ["--release-findings", "effusion,pleural thickening,view"]
    run = ["privatize", place / "in", place / "out", *given, *chosen, "--vault", place / "v"]
    assert command("explain", place / "in", *given, *chosen) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Effusion true with 88.1 %, Pleural_Thickening true" in said
    assert "not used, not released: Edema, Mass, sex, age" in said
    assert command(*run) == 0
    assert command("verify", place / "out") == 0
    assert command(*run) == 0, "the same again changes nothing"
    card = json.loads((place / "out" / "release.json").read_text())
    label = card["plan"]["label"]
    assert [one["name"] for one in label["attributes"]] == card["recipe"]["release_findings"]
    assert 5.9 < sum(one["epsilon"] for one in label["attributes"]) <= label["epsilon"] <= 6
    assert card["guarantee"]["image"]["epsilon"] <= 8
    names = {
        word for row in rows(place / "out" / "labels.csv") for word in row["label"].split(";")
    }
    assert names <= {"Effusion", "Pleural_Thickening", "No Finding", "AP", "PA"}
    table = rows(place / "out" / "metadata.csv")
    assert {row["view"] for row in table} == {"AP", "PA"}
    assert {row["label_probability of view"] for row in table} == {"0.880797"}
    lists = json.loads((place / "out" / "datalist.json").read_text())
    assert list(lists["labels"].values()) == ["Effusion", "Pleural_Thickening", "AP", "PA"]
    marks = [entry["label"] for part in ("training", "test") for entry in lists.get(part, [])]
    assert all(label[2] + label[3] == 1 for label in marks)
    for path in (place / "out" / "images").iterdir():
        assert "Mass" not in str(pydicom.dcmread(path))


@pytest.mark.parametrize("release", ["public", "response"])
def test_what_has_no_label_is_released_as_unknown_where_that_is_asked_for(place, command, release):
    options = ["--labels", listed(place, "file,label\n03.dcm,mass\n"), "--unlabelled", "unknown"]
    options += ["--weights", place / "told.safetensors", "--label-release", release]
    place_of = ["privatize", place / "in", place / "out", "--vault", place / "v"]
    assert command(*place_of, *options, "--layout", "class") == 0
    assert len(rows(place / "out" / "labels.csv")) == 1
    assert verify(place / "out").ok


@pytest.fixture(scope="module")
def stated(tmp_path_factory, command):
    """The card of a release of a view and two findings."""
    place = tmp_path_factory.mktemp("stated")
    save(attribute_checkpoint(), place / "told.safetensors")
    radiograph_at(place / "in" / "0.dcm", 0)
    options = ["--labels", listed(place, "file,label\n0.dcm,mass\n"), "--vault", place / "v"]
    options += ["--weights", place / "told.safetensors"]
    options += ["--release-findings", "view,effusion,mass"]
    assert command("privatize", place / "in", place / "out", *options) == 0
    return json.loads((place / "out" / "release.json").read_text())


def put(card, path, value):
    *parts, last = path.split("/")
    for part in parts:
        card = card[int(part) if part.isdigit() else part]
    card[last] = value


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("plan/label/attributes/0/threshold", 2**64 - 2**20),
        ("plan/label/attributes/0/classes", 3),
        ("plan/label/attributes/0/classes", 10**30),
        ("plan/label/attributes/0/epsilon", 0.5),
        ("plan/label/attributes/0/truth_probability", 0.1),
        ("plan/label/attributes/0/name", "Mass"),
        ("plan/label/epsilon", 1.0),
        ("recipe/release_findings", ["Effusion"]),
        ("recipe/release_findings", ["Effusion", "view"]),
        ("recipe/release_findings", []),
        ("image/attributes/1/name", "Effusions"),
        ("image/attributes/4/values", ["AP", "PA", "LL"]),
        ("guarantee/image/epsilon", 7.0),
    ],
)
def test_a_claim_of_attributes_that_does_not_follow_is_found(stated, path, value):
    card = copy.deepcopy(stated)
    assert all(check.ok for check in verify_card(card))
    put(card, path, value)
    try:
        checks = verify_card(card)
    except InputError:  # nothing follows from it
        return
    assert not all(check.ok for check in checks)


def test_the_budget_is_split_among_few_that_are_common():
    made = Privatizer(attribute_flow(), Recipe.from_preset("balanced"))
    assert made.recipe.release_findings == ("Edema", "Effusion", "Mass")
    assert Privatizer(attribute_flow(), made.recipe).recipe == made.recipe
    strict = Privatizer(attribute_flow(), Recipe.from_preset("strict"))
    assert strict.recipe.release_findings == ("Effusion",)
    assert strict.plan.guarantee.epsilon <= 1
    public = Privatizer(attribute_flow(), Recipe.from_preset("balanced", label="public"))
    assert public.recipe.release_findings == EVERYTHING
    assert public.unprotected == (f"{EXACT_ATTRIBUTES}, released exactly",)
    assert Plan.from_card(public.plan.describe()).unprotected == public.plan.unprotected
    costs = option_costs(made.recipe, labelled=True, several=True)
    (cost,) = [one for one in costs if one.option == "--label-release public"]
    assert cost.unprotected == (EXACT_ATTRIBUTES,)
    with pytest.raises(InputError, match="do not know 'nodule'"):
        Privatizer(attribute_flow(), Recipe.from_preset("strict", release_findings=("Nodule",)))


@pytest.mark.parametrize("label", ["response", "public", "none"])
def test_only_what_is_released_is_used(label, images):
    """Two images whose labels differ in what is not released have the same release."""
    names = ("Effusion", "view") if label != "none" else ()
    recipe = Recipe.from_preset("balanced", label=label, release_findings=names)
    releases = []
    for edema in (0, 1):
        private = Privatizer(attribute_flow(), recipe, SeededNoise(5))
        given = labels_of(KNOWN, [[edema, 1, 1 - edema, edema, 0, edema, 2 * edema]] * len(images))
        releases.append(private(images, labels=given))
    assert np.array_equal(releases[0].images, releases[1].images)
    assert np.array_equal(releases[0].labels, releases[1].labels)
    told = values_of(KNOWN, releases[0].labels)
    kept = [one.name in names for one in KNOWN]
    assert (told[:, kept] != -1).all()
    assert (told[:, np.logical_not(kept)] == -1).all()


def test_the_encoder_is_told_what_is_released_exactly_and_nothing_else(images):
    given = ["Effusion;AP"] * len(images)
    flow = attribute_flow()
    noised = Privatizer(flow, Recipe.from_preset("balanced"))
    assert np.array_equal(noised.encode(images, given), flow.encode(images))
    public = Recipe.from_preset("balanced", label="public", release_findings=("view",))
    view = np.array([[-1, -1, -1, -1, 0, -1, -1]] * len(images))
    assert np.array_equal(
        Privatizer(flow, public).encode(images, given), flow.encode(images, view)
    )


def test_the_decoder_is_told_the_answers(images):
    """The released label alone, and not the true one, decides what is drawn."""
    flow = attribute_flow()
    private = Privatizer(flow, Recipe.from_preset("strict", candidates=1), SeededNoise(1))
    release = private(images, labels=["Effusion"] * len(images))
    noise = SeededNoise(1)
    answers = private.plan.response.respond(
        labels_of(KNOWN, [[-1, 1, -1, -1, -1, -1, -1]] * len(images)), noise
    )
    assert np.array_equal(release.labels, answers)
    latents = private.plan.apply(np.zeros((len(images), flow.d)), noise)
    assert np.allclose(release.images, flow.decode(latents, answers), atol=1e-6)


def test_arrays_hold_a_column_for_each_attribute(images, tmp_path):
    recipe = Recipe.from_preset("balanced", release_findings=("mass", "view"))
    release = Privatizer(attribute_flow(), recipe)(images, labels=["Mass;PA"] * len(images))
    release.save(tmp_path / "out", format="npz")
    with np.load(tmp_path / "out" / "images.npz") as held:
        assert held["classes"].tolist() == ["Mass", "view"]
        assert held["labels"].shape == (len(images), 2)
    release.save(tmp_path / "png")
    names = [row["label"] for row in rows(tmp_path / "png" / "labels.csv")]
    assert names == list(release.label_names)


def test_a_list_of_findings_to_release_that_names_none_is_refused():
    with pytest.raises(InputError, match="name one at least"):
        RecipeOptions(release_findings=" ,").recipe(labelled=True)
