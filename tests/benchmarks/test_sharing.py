"""The curious site of the benchmark draws what a class has in common, and its tables say it."""

import pytest

from latentdp.synthesis.public import PublicModel
from tests.federation.test_sharing_attacks import site
from tests.support.benchmarks import script
from tests.support.tiny_flow import shared_flow

views = script("_sharing_views")


def test_in_rounds_a_class_of_another_site_is_drawn(monkeypatch):
    """Children of the other site have a bright corner, which nobody of the curious site has."""
    curious = script("_curious_site")
    monkeypatch.setattr(curious, "ROUNDS", 20)
    ill = site().seen.findings[:, 0]
    public = PublicModel.of(shared_flow())

    def corner(theirs):
        drawn = curious.in_rounds(shared_flow(), public, site().of(~ill), theirs, None, 0)
        gained = (drawn.after - drawn.before).mean(axis=0)
        return gained[:6, :6].mean() - gained[8:, 8:].mean()

    assert corner(site().of(ill)) > corner(None) + 0.01


def test_tables_have_a_column_for_each_size_and_a_row_for_each_way():
    value = script("_results").Interval(0.5, 0.4, 0.6)
    rows = [
        {"attack": "property of site", "asks": "share of x: 60 % or 40 %? AUC", "way": way,
         "patients": patients, "value": value}
        for way, patients in (("a", 30), ("a", 300), ("b", 30))
    ]  # fmt: skip
    told = type("Told", (), {"rows": rows})
    assert views.properties([told]).splitlines() == [
        "| trait | what is shared | 30 patients | 300 patients |",
        "|---|---|---|---|",
        "| x | a | .50 (.40 to .60) | .50 (.40 to .60) |",
        "| x | b | .50 (.40 to .60) | - |",
    ]
    with pytest.raises(KeyError):
        views.inversion([type("Told", (), {"rows": [{"attack": "exact inversion"}]})])
