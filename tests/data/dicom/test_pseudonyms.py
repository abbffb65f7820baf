"""Keyed pseudonyms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentdp.data.dicom.pseudonyms import Pseudonyms
from latentdp.errors import InputError

KEY = b"k" * 32
PATIENT = "LDP-B5D735E48A89FD41"
INSTANCE = "2.25.164878403799129146096147829580887047582"


def test_stable_across_versions():
    # Known answers: a change would tear every released patient apart from later releases.
    ours = Pseudonyms(KEY)
    assert ours.patient("P1") == PATIENT
    assert ours.uid("instance", "1.2.3", "recipe") == INSTANCE


def test_keys_kinds_values_and_recipes_are_kept_apart():
    ours, other = Pseudonyms(KEY), Pseudonyms(b"o" * 32)
    uids = [
        ours.uid("study", "1.2"),
        other.uid("study", "1.2"),
        ours.uid("series", "1.2"),
        ours.uid("study", "1.3"),
        ours.uid("study", "1.2", "r"),
        ours.uid("study", "1.2", "r", ""),
        ours.uid("study", "1.2r"),
        ours.uid("study1", ".2"),
    ]
    assert len(set(uids)) == len(uids)
    assert ours.patient("A") != other.patient("A")
    assert ours.patient("A") != ours.patient("a")


@given(st.text(min_size=1), st.text(max_size=5))
def test_form(old, more):
    ours = Pseudonyms(KEY)
    uid = ours.uid("study", old, more)
    assert re.fullmatch(r"2\.25\.(0|[1-9][0-9]{0,38})", uid)
    assert len(uid) <= 64
    assert re.fullmatch(r"LDP-[0-9A-F]{16}", ours.patient(old))


def test_empty_values_and_short_keys_are_refused():
    with pytest.raises(InputError, match="empty"):
        Pseudonyms(KEY).patient("")
    with pytest.raises(InputError, match="empty"):
        Pseudonyms(KEY).uid("study", "", "more")
    with pytest.raises(InputError, match="16 bytes"):
        Pseudonyms(b"short")
