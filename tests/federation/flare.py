"""NVIDIA FLARE on loopback: a coordinator and sites as real processes, each with its own kit."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.support.places import ROOT

BIN = ROOT / ".nvflare" / "bin"
JOB = ROOT / "federation" / "job"
PROJECT = ROOT / "federation" / "project.yml"
COORDINATOR, LEADER = "localhost", "lead@coordinator.org"
PATIENCE = 150  # seconds: what takes longer fails

SUBMIT = """
import sys, time
from nvflare.fuel.flare_api.flare_api import new_secure_session

kit, sites, wait, jobs = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "wait", sys.argv[4:]
until = time.monotonic() + 90
while True:
    try:
        session = new_secure_session("lead@coordinator.org", kit, timeout=10)
        if len(session.get_system_info().client_info) == sites:
            break
        session.close()
    except Exception as error:
        if time.monotonic() > until:
            raise
    time.sleep(1)
for job in jobs:
    number = session.submit_job(job)
    while wait:
        meta = session.get_job_meta(number)
        if meta["status"].startswith("FINISHED"):
            print(meta["status"], meta.get("job_deploy_detail"))
            break
        time.sleep(1)
session.close()
"""


class Flare:
    """Kits and processes below a folder; `end` ends all that it started."""

    def __init__(self, place: Path) -> None:
        self.place, self.port = place, _free_port()
        self._parents: dict[str, subprocess.Popen] = {}
        project = PROJECT.read_text().replace(
            "fed_learn_port: 8002", f"fed_learn_port: {self.port}"
        )
        assert str(self.port) in project
        (place / "project.yml").write_text(project)
        self._run("nvflare", "provision", "-p", place / "project.yml", "-w", place / "kits")
        self.kits = place / "kits" / "latentdp-rounds" / "prod_00"

    def lock(self, name: str) -> None:
        """As whoever holds a kit does before the first start."""
        self._run("python", "-m", "latentdp_rounds.lock", self.kits / name)

    def start(self, name: str, **environment: str) -> None:
        with (self.place / f"{name}.log").open("w") as log:
            self._parents[name] = subprocess.Popen(
                ["bash", self.kits / name / "startup" / "sub_start.sh", "--once"],
                env=_environment() | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def submit(self, sites: int, *jobs: Path, wait: bool = False) -> str:
        """Hands in jobs once all sites are there; what became of each, where it waits for them."""
        how = "wait" if wait else "go on"
        return self._run("python", "-c", SUBMIT, self.kits / LEADER, sites, how, *jobs)

    def kill(self, name: str) -> None:
        """All processes of a site at once, as a power cut does."""
        for number in self._of(self.kits / name):
            _kill(number)
        self._parents.pop(name).wait()

    def end(self) -> None:
        while numbers := self._of(self.kits):
            for number in numbers:
                _kill(number)
            time.sleep(0.1)
        for parent in self._parents.values():
            parent.wait()

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")

    def _run(self, program: str, *arguments: object) -> str:
        done = subprocess.run(
            [BIN / program, *map(str, arguments)],
            env=_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _of(self, kit: Path) -> list[int]:
        """Processes that name a kit in their command; workers live in sessions of their own."""
        found = []
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = file.read_bytes().decode(errors="replace")
            except OSError:
                continue  # it ended meanwhile
            if str(kit) in words:
                found.append(int(file.parent.name))
        return [n for n in found if not _ended(n)]


def job(place: Path, **arguments: int) -> Path:
    """The job of the repository under other arguments of its workflow."""
    file = place / "app" / "config" / "config_fed_server.json"
    for source in JOB.rglob("*.json"):
        target = place / source.relative_to(JOB)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    values = json.loads(file.read_text())
    values["workflows"][0]["args"] |= arguments
    file.write_text(json.dumps(values))
    return place


def until(holds: Callable[[], bool], what: str) -> None:
    """Waits until something holds.

    Raises:
        AssertionError: It took too long.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def _environment() -> dict[str, str]:
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _kill(number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def _ended(number: int) -> bool:
    """Whether a process only waits to be taken note of."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
