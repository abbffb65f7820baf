"""``latentdp explain``: what a run would do to every input, and what its options cost."""

import json
import os

import pytest

from tests.support.folders import picture_at, radiograph_at


@pytest.fixture
def explained(command, capsys, tiny_weights, tmp_path):
    """Three images of one patient, one twice, one of another, junk; what is told of them."""
    for number in (1, 2, 3):
        radiograph_at(tmp_path / "in" / f"{number}.dcm", number, PatientID="P")
    radiograph_at(tmp_path / "in" / "again.dcm", 3, PatientID="P", StudyID="2")
    radiograph_at(tmp_path / "in" / "4.dcm", 4)
    picture_at(tmp_path / "in" / "p.png", 5)
    (tmp_path / "in" / "junk").write_bytes(b"junk")

    def run(*options):
        code = command("explain", tmp_path / "in", "--weights", tiny_weights, *options, "--json")
        told = json.loads(capsys.readouterr().out)
        command("explain", tmp_path / "in", "--weights", tiny_weights, *options)
        return code, told, " ".join(capsys.readouterr().out.split())

    return run


def test_every_input_and_every_patient_is_accounted_for(explained):
    code, told, table = explained()
    counts = told["counts"]
    assert (code, told["patients"]) == (1, 3)
    assert told["images_per_patient"] == {"1": 2, "3": 1}
    assert (counts["inputs"], counts["outputs"], counts["duplicates"]) == (7, 5, 1)
    assert sum(counts["quarantined"].values()) == 1
    assert "3: 2 with 1 image, 1 with 3 images" in table
    assert "--images-per-patient 1 would release 3 of 5 images, at most epsilon " in table
    assert isinstance(told["odd"], list)


def test_what_fewer_images_of_a_patient_cost_is_not_said_to_be_all_where_something_is_kept(
    explained,
):
    _, _, table = explained("--keep-label-dims", "1")
    _, _, each = table.partition("--images-per-patient 1 would release 3 of 5 images, ")
    assert each.split(" --")[0].startswith("at most epsilon ")
    assert "of a patient for the noised part alone; of the whole it is infinity" in each[:110]


def test_what_is_beyond_the_budget_is_counted_and_the_patients_epsilon_shown(explained):
    code, told, table = explained("--epsilon-per-patient", "6", "--images-per-patient", "2")
    counts = told["counts"]
    assert (code, counts["beyond_images_per_patient"], counts["outputs"]) in ((1, 1, 4), (1, 2, 4))
    assert counts["inputs"] == 7
    assert told["patient_guarantee"]["epsilon"] == 6.0
    assert told["guarantee"]["epsilon"] <= 3.0
    assert "(beyond images per patient)" in table
    assert (
        "Any two patients, with all their images, are indistinguishable up to epsilon 6" in table
    )
    assert "at most 404 times as probable with this patient's images" in table


def test_inputs_without_a_label_are_counted_and_what_refuses_them_is_said(explained, tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n1.dcm,a\n")
    labels = tmp_path / "labels.csv"
    code, told, table = explained("--labels", labels)
    assert (code, told["counts"]["unlabelled"]) == (2, 5)
    assert "WOULD BE REFUSED 5 inputs have no label" in table
    assert sorted(told["without_label"]) == ["2.dcm", "3.dcm", "4.dcm", "again.dcm", "p.png"]
    assert "without a label 2.dcm" in table, "or nobody could complete the list"
    assert not explained()[1]["without_label"], "where labels are not asked for"
    code, told, table = explained("--labels", labels, "--unlabelled", "random")
    assert (code, "WOULD BE REFUSED" in table) == (1, False)


def test_what_an_option_costs_is_said_before_and_when_it_is_used(explained):
    _, told, table = explained()
    options = {cost["option"]: cost for cost in told["options"]}
    assert not any(cost["used"] for cost in options.values())
    assert options["--shift-dates"]["unprotected"][0].startswith("dates of study")
    assert options["--accept-burned-in"]["claims"] == ["113101"]
    assert "--shift-dates would release exactly: dates" in table
    _, told, table = explained("--shift-dates")
    (cost,) = [cost for cost in told["options"] if cost["used"]]
    assert cost["option"] == "--shift-dates"
    assert "--shift-dates releases exactly: dates" in table
    assert told["patient_guarantee"]["epsilon"] is None
    apart = "Apart from the dates, among sources that agree in them: "
    noised = [line for line in told["statement"] if line.startswith(apart)]
    assert len(noised) == 2, "ceilings are kept for the rest, and called what they are"
    _, told, table = explained("--shift-dates", "--retain-device")
    assert "AUC at most" not in table, "where more is exact nothing is bounded"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_of_two_lines_is_one(tmp_path, tiny_weights, command, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\nwould be released b.txt").write_text("nothing")
    assert command("explain", tmp_path / "in", "--weights", tiny_weights) == 2
    shown = " ".join(capsys.readouterr().out.split())
    assert r"a\nwould be released b.txt" in shown


def test_weights_that_do_not_fit_say_so(command, capsys, tmp_path):
    """Noise is no chest: every image is odd to the shipped weights."""
    for number in range(3):
        picture_at(tmp_path / "in" / f"{number}.png", number)
    command("explain", tmp_path / "in", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["fit"] == {"odd": 3, "rated": 3, "share": 1.0, "poor": True}
    command("explain", tmp_path / "in")
    assert "3 of 3 images (100%) are unlike" in " ".join(capsys.readouterr().out.split())
