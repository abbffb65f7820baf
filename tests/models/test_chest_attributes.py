"""What reports say of chests as attributes, and how often which image is shown."""

import math
from dataclasses import replace

import numpy as np
import pytest

from latentdp import InputError
from latentdp.models.flow.attributes import (
    ABSENT,
    PRESENT,
    Attribute,
    finding,
)
from latentdp.models.flow.chest_attributes import (
    ADULT,
    PAEDIATRIC,
    attribute_values,
    finding_columns,
)
from latentdp.models.training.sampling_odds import MOST, PER_PATIENT, sampling_odds
from tests.support.attribute_data import EFFUSION, MASS, VIEW, dataset


@pytest.mark.parametrize(
    ("reported", "mass", "effusion", "viral"),
    [
        ("Mass;Effusion", 1, 1, -1),
        ("No Finding", 0, 0, -1),
        ("RSNA Normal;NIH:No Finding", 0, 0, -1),
        ("RSNA Normal;NIH:Mass", -1, 0, -1),
        ("PNEUMONIA;viral", -1, -1, 1),
        ("PNEUMONIA;bacterial", -1, -1, 0),
        ("NORMAL", -1, -1, 0),
        ("COVID-19", -1, -1, -1),
        ("", -1, -1, -1),
    ],
)
def test_what_a_report_says(reported, mass, effusion, viral):
    data = replace(dataset(2), reported=(reported, "Mass"), views=("AP", ""))
    attributes = (MASS, EFFUSION, finding("Viral pneumonia"), VIEW)
    assert attribute_values(data, attributes).tolist() == [
        [mass, effusion, viral, 0],
        [PRESENT, ABSENT, -1, -1],
    ]


def test_ages_come_in_bands_and_children_in_none():
    data = replace(dataset(6), ages=(17, 18, 34, 35, 90, math.nan))
    age = next(one for one in ADULT if one.name == "age")
    assert attribute_values(data, [age])[:, 0].tolist() == [-1, 0, 0, 1, 3, -1]
    assert len(finding_columns(ADULT)) == 14
    assert len(finding_columns(PAEDIATRIC)) == 3
    with pytest.raises(InputError, match="weight"):
        attribute_values(data, [Attribute("weight", ("a",))])


def test_some_images_of_a_data_set_keep_all_columns_together():
    data = dataset(8)
    some = data.only(np.arange(8) % 3 == 0)
    assert some.files == ("0", "3", "6")
    assert some.reported == ("Mass", "No Finding", "Mass")
    assert np.array_equal(some.pixels, data.pixels[[0, 3, 6]])


def test_no_patient_and_no_source_counts_too_much_and_rare_findings_come_more_often():
    n = 100
    findings = np.zeros((n, 2), dtype=np.int64)
    findings[:40, 0] = 1
    findings[:10, 1] = 1
    data = replace(
        dataset(n),
        patients=tuple("one" if i >= 60 else str(i) for i in range(n)),
        sources=("poor",) * 50 + ("good",) * 50,
    )
    odds = sampling_odds(data, findings, {"poor": 0.5})
    assert odds[60:].sum() == pytest.approx(PER_PATIENT)
    assert odds[55] == 1
    assert odds[45] == 0.5
    assert odds[0] == pytest.approx(0.5 * 2)
    findings[1:10, 1] = 0
    assert sampling_odds(data, findings, {})[0] == MOST
    assert (sampling_odds(data, findings[:, :0], {})[:60] == 1).all(), "no findings to be told"
