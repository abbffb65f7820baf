"""Rounds over NVIDIA FLARE: a coordinator and three sites as processes on loopback, one killed."""

import json
import shutil
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from latentdp.federation.rounds.question import answer_name, question_name
from latentdp.private_training.classifier import Classifier
from latentdp.private_training.verify import verify
from tests.federation.flare import BIN, COORDINATOR, JOB, Flare, job, until
from tests.support.folders import charges
from tests.synthesis.cohorts import pictures

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("flare"),
    pytest.mark.skipif(not (BIN / "nvflare").is_file(), reason="make .nvflare/ready makes it"),
]

LATENTDP = Path(sys.executable).with_name("latentdp")
SITES, FINDINGS, ROUNDS = ("north", "south", "west"), "a;b", 3


@pytest.fixture
def flare(tmp_path):
    started = Flare(tmp_path)
    yield started
    started.end()


def answer(place: Path, weights: Path, *more: str) -> list[str]:
    """The command that a steward starts beside FLARE."""
    return [
        *map(str, (LATENTDP, "federate", "answer", place / "in", place / "folder")),
        *("--labels", str(place / "labels.csv"), "--vault", str(place / "vault")),
        *("--name", place.name, "--study", "s", "--findings", FINDINGS, "--epsilon", "4"),
        *("--rounds", str(ROUNDS), "--weights", str(weights), *more),
    ]


def latentdp(*command: object) -> str:
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def speaks_with(flare: Flare, kit: Path | None) -> bool:
    """Whether the coordinator goes on speaking with whoever has this certificate."""
    context = ssl.create_default_context(cafile=flare.kits / COORDINATOR / "startup/rootCA.pem")
    if kit is not None:
        context.load_cert_chain(kit / "startup/client.crt", kit / "startup/client.key")
    try:
        with (
            socket.create_connection(("localhost", flare.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            return bool(secured.recv(1))
    except (ssl.SSLError, ConnectionError):
        return False


def test_rounds_go_on_without_a_site_that_is_killed_and_it_draws_nothing_twice(
    flare, tmp_path, tiny_weights
):
    waiting = []
    lead = tmp_path / "lead"
    for i, name in enumerate(SITES):
        pictures(tmp_path / name, 12 + 2 * i)
        (tmp_path / name / "folder").mkdir()
    try:
        latentdp(
            *(LATENTDP, "federate", "ask", lead, "--study", "s", "--findings", FINDINGS),
            *("--rounds", ROUNDS, "--weights", tiny_weights),
        )
        for name in (COORDINATOR, *SITES):
            flare.lock(name)
        flare.start(COORDINATOR, LATENTDP=str(LATENTDP), LATENTDP_ROUNDS=str(lead))
        for name in SITES:
            flare.start(name, LATENTDP_ROUNDS=str(tmp_path / name / "folder"))
        flare.submit(3, job(tmp_path / "job", wait=100, grace=10))
        west = tmp_path / "west" / "folder"
        until(lambda: (west / question_name(1)).is_file(), "the first question")
        latentdp(*answer(tmp_path / "west", tiny_weights))
        first = (west / answer_name(1)).read_bytes()
        for name in SITES[:2]:
            waiting.append(
                subprocess.Popen(
                    answer(tmp_path / name, tiny_weights, "--wait", "200", "--json"),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        until(lambda: (west / question_name(2)).is_file(), "the second question")
        assert speaks_with(flare, flare.kits / "south")
        flare.kill("west")
        assert not speaks_with(flare, None), "who shows no certificate"
        until(lambda: (lead / "classifier.safetensors").is_file(), flare.log(COORDINATOR))
        told = [json.loads(process.communicate(timeout=60)[0]) for process in waiting]
    finally:
        for process in waiting:
            process.kill()
            process.wait()
    assert [each["rounds"] for each in told] == [[1, 2, 3]] * 2
    assert all(each["as_unit"]["epsilon"] > 4 for each in told)
    verification = verify(lead / "classifier.safetensors")
    assert verification.ok, [check.claim for check in verification.checks if not check.ok]
    training = Classifier.load(lead / "classifier.safetensors").training
    assert {site.name: site.rounds for site in training.sites} == {
        "north": (1, 2, 3),
        "south": (1, 2, 3),
        "west": (1,),
    }
    assert "If the site were the unit" in training.guarantee.statement[-1]
    before = charges(tmp_path / "west")
    (west / answer_name(1)).unlink()
    latentdp(
        *answer(tmp_path / "west", tiny_weights)
    )  # it comes back, and finds the second question
    assert (west / answer_name(1)).read_bytes() == first
    assert (west / answer_name(2)).is_file()
    assert charges(tmp_path / "west") == before


def hostile(place: Path, executor: dict, module: str = "") -> Path:
    """A job of a coordinator who wants a program of their own to run at the sites."""
    shutil.copytree(JOB, place)
    config = place / "app" / "config" / "config_fed_client.json"
    values = json.loads(config.read_text())
    values["executors"][0]["executor"] = executor
    config.write_text(json.dumps(values))
    if module:
        (place / "app" / "custom").mkdir()
        (place / "app" / "custom" / "theirs.py").write_text(module)
    return place


@pytest.mark.parametrize("locked", [True, False])
def test_a_locked_site_runs_nothing_that_the_coordinator_sends(flare, tmp_path, locked):
    """The coordinator opened all; the control shows that other sites would run what is shipped."""
    named, shipped = tmp_path / "named-ran", tmp_path / "shipped-ran"
    local = flare.kits / COORDINATOR / "local"
    flare.lock(COORDINATOR)  # for folders of its own; then it opens everything
    values = json.loads((local / "resources.json").read_text())
    (local / "resources.json").write_text(json.dumps(values | {"class_allow_list": ["*"]}))
    (local / "authorization.json").unlink()
    if locked:
        flare.lock("north")
    flare.start(COORDINATOR, LATENTDP="true", LATENTDP_ROUNDS=str(tmp_path))
    flare.start("north", LATENTDP_ROUNDS=str(tmp_path))
    touch = {"path": "subprocess.Popen", "args": {"args": ["touch", str(named)]}}
    module = f"import pathlib\npathlib.Path({str(shipped)!r}).touch()\nclass Theirs: ...\n"
    jobs = [hostile(tmp_path / "b", {"path": "theirs.Theirs", "args": {}}, module)]
    if locked:
        jobs.append(hostile(tmp_path / "a", touch))
    told = flare.submit(1, *jobs, wait=True)
    assert shipped.exists() != locked, told
    assert not named.exists()
    assert ("BYOC not permitted" in told) == locked
    assert ("'subprocess.Popen'" in flare.log("north")) == locked
