"""Spellings of a Patient ID: which are one in releases, and which in the ledger."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp.data.patient_id import loose_form, normal_form

PADDING = st.text("".join(map(chr, range(33))) + "\x7f\x85\xa0\u200b\u2003\ufeff", max_size=4)
TEXT = st.text(max_size=12)
ID = st.from_regex(r"[A-Z]{0,3}[1-9][0-9]{0,6}", fullmatch=True)


@given(TEXT, PADDING, PADDING, st.sampled_from(["NFC", "NFD"]))
def test_padding_and_composition_make_no_other_person(text, before, after, form):
    normal = normal_form(text)
    padded = before + unicodedata.normalize(form, text) + after
    assert normal_form(padded) == normal == normal_form(normal)
    assert loose_form(padded) == loose_form(text) == loose_form(normal)


@pytest.mark.parametrize("text", ["", " ", "\0", "\t\r\n", "\u200b"])
def test_nothing_but_padding_is_no_id(text):
    assert normal_form(text) == loose_form(text) == ""


@given(TEXT)
def test_the_loose_form_is_its_own(text):
    loose = loose_form(text)
    assert loose_form(loose) == loose
    assert bool(loose.replace("\\", "")) == any(map(normal_form, text.split("\\")))


@given(ID, st.data())
def test_case_signs_and_zeros_are_one_to_the_ledger_only(text, data):
    letters = text.rstrip("0123456789")
    number = "0" * data.draw(st.integers(0, 3)) + text[len(letters) :]
    sign = data.draw(st.sampled_from(["", "-", ".", " ", "_", "/"]))
    spelled = "0" * data.draw(st.integers(0, 2)) + letters.lower() + sign + number
    assert loose_form(spelled) == loose_form(text)
    assert (normal_form(spelled) == normal_form(text)) == (spelled == text)


@given(ID, ID)
def test_other_ids_stay_other_people(a, b):
    assert (loose_form(a) == loose_form(b)) == (a == b)


@given(ID, ID, ID)
def test_an_issuer_is_never_left_out(number, one, other):
    assert loose_form(f"{number}\\{one}") == loose_form(f"0{number}\\{one.lower()}")
    assert (loose_form(f"{number}\\{one}") == loose_form(f"{number}\\{other}")) == (one == other)
    assert loose_form(f"{number}\\{one}") != loose_form(number)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("MRNÄ", "MRNA\u0308"),
        ("MRN123", "\uff2d\uff32\uff2e\uff11\uff12\uff13"),
        ("STRASSE1", "straße 1"),
        ("000", "0"),
    ],
)
def test_some_that_are_one(one, same):
    assert loose_form(one) == loose_form(same)


def test_ids_of_signs_only_are_kept_apart():
    assert len({loose_form(text) for text in ("-", "--", "?", "0")}) == 4
