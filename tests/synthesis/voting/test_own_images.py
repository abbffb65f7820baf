"""Who is on a question is published: voters are asked about no patient of theirs."""

import json

import numpy as np
import pytest
from PIL import Image

from latentdp.core.documents import to_json
from latentdp.data import radiograph
from latentdp.errors import InputError
from latentdp.models.weights_file import WeightsFile
from latentdp.synthesis.voting.answer import answer, preview_answer
from latentdp.synthesis.voting.kept_voters import KeptVoters, voters_file
from latentdp.synthesis.voting.train import train
from tests.support.folders import charges, picture_at, radiograph_at
from tests.support.tiny_flow import shared_flow
from tests.synthesis.cohorts import cohort
from tests.synthesis.voting.hospital import asking, hospital, training


def ask(place, number, **changes):
    return asking(place, questions=number, **changes)


def same_file(place):
    (place / "queries" / "own.png").write_bytes((place / "in" / "3.png").read_bytes())


def same_picture(place):
    Image.open(place / "in" / "3.png").save(place / "queries" / "own.png", compress_level=1)


def of_a_patient(place):
    radiograph_at(place / "queries" / "own.dcm", 77, PatientID="p-03")


@pytest.mark.parametrize("copied", [same_file, same_picture, of_a_patient])
def test_a_question_that_shows_a_patient_is_refused_before_it_is_paid(tmp_path, copied):
    place = hospital(tmp_path)
    copied(place)
    before = charges(place)
    for do in (answer, preview_answer):
        with pytest.raises(InputError, match=r"^1 of the 9 questions show patients") as caught:
            do(ask(place, 9))
        assert "own" not in str(caught.value)
    assert charges(place) == before
    assert not (place / "out").exists()


def test_a_patient_of_the_header_is_known_by_a_picture_that_names_nobody(tmp_path):
    """As it comes out of a viewer: other bytes, no header."""
    cohort(tmp_path, images=1)
    changes = {"findings": "normal;edema", "number": 3}
    train(training(tmp_path, **changes), shared_flow())
    for number in range(3):
        picture_at(tmp_path / "queries" / f"{number}.png", 200 + number)
    assert preview_answer(ask(tmp_path, 3)).questions == 3
    image = radiograph.read(tmp_path / "in" / "p4" / "0.dcm", (72, 96)).image
    levels = np.rint(image * 65_535).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "queries" / "own.png")
    with pytest.raises(InputError, match="1 of the 4 questions"):
        preview_answer(ask(tmp_path, 4))


def test_voters_of_an_older_version_know_their_patients_too(tmp_path):
    place = hospital(tmp_path)
    path = voters_file(place / "vault", "teachers")
    file, card = WeightsFile.read(path), to_json(KeptVoters.load(path).card)
    card.pop("images")
    WeightsFile(
        kind=file.kind, config=file.config, card=json.dumps(card), tensors=file.tensors
    ).write(path)
    same_picture(place)
    with pytest.raises(InputError, match="1 of the 9 questions"):
        answer(ask(place, 9))
