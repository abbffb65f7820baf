"""What carries rounds over an engine takes nothing from the network for a path or a program."""

import importlib.util
import json

import pytest

from latentdp.federation.rounds.question import answer_name, question_name
from tests.support.places import ROOT


def module(name: str):
    """One that needs no engine, from the folder beside the package."""
    place = ROOT / "federation" / "latentdp_rounds" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"carrier_{name}", place)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


exchange, lock = module("exchange"), module("lock")


@pytest.mark.parametrize("number", [1, 42, 9_999])
def test_both_sides_mean_the_same_files(tmp_path, number):
    assert exchange.question_file(tmp_path, number) == tmp_path / question_name(number)
    assert exchange.answer_file(tmp_path, number) == tmp_path / answer_name(number)


@pytest.mark.parametrize(
    "number", [None, 0, -1, 10_001, True, 1.0, "1", "../1", ["1"], {}, float("nan")], ids=repr
)
def test_nothing_but_a_number_of_a_round_becomes_a_path(tmp_path, number):
    for file in (exchange.question_file, exchange.answer_file):
        with pytest.raises(ValueError, match="the number of a round"):
            file(tmp_path, number)


@pytest.mark.parametrize("content", [None, "", b"x", 1, ["x"], "x" * 11], ids=repr)
def test_nothing_but_a_text_travels(content, monkeypatch):
    monkeypatch.setattr(exchange, "LARGEST", 10)
    with pytest.raises(ValueError, match="a text"):
        exchange.text_of(content)
    assert exchange.text_of("x" * 10) == "x" * 10


def test_who_waits_sees_whole_files_and_can_be_stopped(tmp_path):
    assert exchange.wait_for(tmp_path / "a", lambda: True) is None
    exchange.write_whole(tmp_path / "a", "all of it")
    assert exchange.wait_for(tmp_path / "a", lambda: False) == "all of it"
    assert [file.name for file in tmp_path.iterdir()] == ["a"]


def test_the_jobs_of_the_repository_name_what_a_locked_kit_builds():
    config = ROOT / "federation" / "job" / "app" / "config"
    site = json.loads((config / "config_fed_client.json").read_text())
    lead = json.loads((config / "config_fed_server.json").read_text())
    assert [e["executor"]["path"] for e in site["executors"]] == lock.SITE
    assert [w["path"] for w in lead["workflows"]] == lock.COORDINATOR
    assert site["executors"][0]["tasks"] == [exchange.TASK]


@pytest.mark.parametrize("coordinates", [True, False])
def test_a_locked_kit_takes_no_code_no_shell_and_sends_no_log(tmp_path, coordinates):
    for folder in ("local", "startup"):
        (tmp_path / folder).mkdir()
    if coordinates:
        (tmp_path / "startup" / "fed_server.json").write_text("{}")
    resources = {
        "class_allow_list": ["*"],
        "class_list_enforcement_mode": "warn",
        "allow_log_streaming": True,
        "snapshot_persistor": {"args": {"storage": {"args": {"root_dir": "/tmp/shared"}}}},
        "components": [
            {"id": "site_log_streamer"},
            {"id": "log_receiver"},
            {"id": "job_manager", "args": {"uri_root": "/tmp/shared"}},
        ],
    }
    rights = {"permissions": {"project_admin": "any", "lead": {"view": "any", "byoc": "any"}}}
    (tmp_path / "local" / "resources.json.default").write_text(json.dumps(resources))
    (tmp_path / "local" / "authorization.json.default").write_text(json.dumps(rights))
    lock.lock(tmp_path)
    locked = json.loads((tmp_path / "local" / "resources.json").read_text())
    assert locked["class_allow_list"] == (lock.COORDINATOR if coordinates else lock.SITE)
    assert locked["class_list_enforcement_mode"] == "enforce"
    assert not locked["allow_log_streaming"]
    assert [component["id"] for component in locked["components"]] == ["job_manager"]
    assert ("/tmp/shared" in json.dumps(locked)) != coordinates
    allowed = json.loads((tmp_path / "local" / "authorization.json").read_text())["permissions"]
    assert allowed["project_admin"] == {"view": "any"}
    assert {allowed["lead"][right] for right in lock.FORBIDDEN} == {"none"}
    assert allowed["lead"]["view"] == "any"
