"""Whatever was learnt privately and reads findings is one thing to whoever uses it."""

import json

import numpy as np
import pytest

import latentdp
from latentdp import InputError, WeightsError
from latentdp.models.weights_file import WeightsFile
from latentdp.synthesis.head import Head
from latentdp.synthesis.voting.student import Student
from tests.support.folders import picture_at

FINDINGS = ("edema", "effusion")
RNG = np.random.default_rng(0)


@pytest.fixture
def student(tmp_path):
    head = Head(weights=RNG.normal(size=(2, 17)), centre=np.full(16, 99.0), scale=np.ones(16))
    Student(head, FINDINGS).save(tmp_path / "student.safetensors")
    return tmp_path / "student.safetensors"


def test_a_student_reads_as_its_head_does_and_refuses_what_is_no_image(student):
    reader = latentdp.load_classifier(student)
    images = RNG.random((3, reader.side, reader.side)).astype(np.float32)
    assert reader.findings == FINDINGS
    assert np.array_equal(reader(images), Student.load(student).head.probabilities(images))
    for odd in (images[:, :9], images + 2):
        with pytest.raises(InputError, match="expected"):
            reader(odd)


def test_the_command_reads_with_a_student_and_with_a_generator(
    student, tmp_path, command, capsys, tiny_weights
):
    for number in range(3):
        picture_at(tmp_path / "in" / f"{number}.png", number)
    rows = "".join(f"{i}.png,edema,p{i}\n" for i in range(3))
    (tmp_path / "l.csv").write_text(f"file,label,patient\n{rows}")
    made = ["synthesize", tmp_path / "in", tmp_path / "set", "--labels", tmp_path / "l.csv",
            "--findings", "edema;effusion", "--weights", tiny_weights, "--images", 2,
            "--vault", tmp_path / "vault"]  # fmt: skip
    assert command(*made) == 0
    capsys.readouterr()
    for file in (student, tmp_path / "set" / "generator.safetensors"):
        assert command("weights", "predict", file, tmp_path / "in", "--json") == 0
        told = json.loads(capsys.readouterr().out)
        assert tuple(told["findings"]) == FINDINGS
        assert len(told["images"]) == 3


def test_weights_that_read_nothing_are_refused(tmp_path, tiny_weights):
    with pytest.raises(WeightsError, match="expected a classifier, a student or a generator"):
        latentdp.load_classifier(tiny_weights)
    WeightsFile(kind="generator", config="{}", card="{}", tensors={}).write(tmp_path / "g")
    with pytest.raises(WeightsError):
        latentdp.load_classifier(tmp_path / "g")
