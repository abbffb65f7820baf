"""A run that is killed at random and begun again, until it ends: is every file accounted for once?

    python benchmarks/kills.py [--files 10000] [--kills 3] [--workers 2] [--seed 0]
        [--place FOLDER] [--json FILE] [--options --preset strict ...]

Makes a folder of small synthetic DICOM files, each another patient's, some of them broken and some
copies of others. ``latentdp privatize`` is called and killed (SIGKILL, in turn with all its
processes and alone) at random shares of the outputs, as often as is asked for; then it is called
once more. At the end the inputs must be outputs, duplicates or in quarantine, the files in OUT
those of the ledger byte by byte and the only ones that lay there at any kill, and what the ledger
charged the epsilon on the release card for each of them. Exits with 1 if they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _harness import Report, parse, parser
from _results import Column

from latentdp.core.filesystem import digest
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below
from latentdp.vault.vault import Vault

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "samples" / "cxr" / "clinic-a" / "cr-0001.dcm"
EACH = 100  # of so many files one is broken and one a copy


COLUMNS = (Column("killed", "{killed}"), Column("outputs by then", "{outputs:,}"))


@dataclass(frozen=True)
class Row:
    """A run that was killed.

    Attributes:
        killed: ``with all`` its processes, or ``alone``.
        outputs: That there were.
    """

    killed: str
    outputs: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes, kills, runs, checks."""
    options = parse(_parser(), arguments)
    with (
        tempfile.TemporaryDirectory(dir=options.place) as place,
        Report(options, COLUMNS, facts={"files": options.files}) as report,
    ):
        folder = Path(place)
        make(folder / "in", options.files)
        call = [str(Path(sys.executable).with_name("latentdp")), "privatize", "in", "out"]
        call += ["--vault", "vault", "--workers", str(options.workers), "--json", *options.options]
        seen: set[str] = set()
        draws = sorted(below(SeededNoise(options.seed), options.files, options.kills).tolist())
        for i, enough in enumerate(draws):
            count = killed(call, folder, enough, everything=i % 2 == 0)
            seen |= _files(folder / "out" / "images")
            report.add(Row("alone" if i % 2 else "with all", count))
        began = time.perf_counter()
        last = subprocess.run(
            call, cwd=folder, stdout=subprocess.PIPE, stderr=None, text=True, check=False
        )
        report.facts["s to the end"] = seconds = time.perf_counter() - began
        report.say(f"\nfinished in {seconds:.0f} s, exit code {last.returncode}")
        released, wrong = check(folder, json.loads(last.stdout)["counts"])
        other = len(seen - _files(folder / "out" / "images"))
        if other:
            wrong.append(f"{other} files that lay in OUT at a kill are no outputs")
        report.facts["does not add up"] = len(wrong)
        report.say(released)
        report.say(
            "\n".join(wrong) or "every file accounted for once; the ledger is the sum of the card"
        )
    raise SystemExit(bool(wrong))


def make(folder: Path, files: int) -> None:
    """Copies of a sample with another patient and other last pixels each."""
    folder.mkdir()
    template = TEMPLATE.read_bytes()
    at = template.index(b"A-1001")
    for i in range(files):
        data = template[:at] + f"P{i:05}".encode()[:6] + template[at + 6 : -4]
        data += bytes((i % 256, 0, i // 256, 0))  # of 16 bits a pixel has 12
        if i % EACH == 0:
            data = template[: len(template) // 2] + i.to_bytes(4, "little")
        elif i % EACH == 1 and i > EACH:
            data = (folder / f"{i - EACH + 1}.dcm").read_bytes()
        (folder / f"{i}.dcm").write_bytes(data)


def killed(call: Sequence[str], folder: Path, enough: int, *, everything: bool) -> int:
    """Runs until there are so many outputs, then kills; returns how many there are.

    Args:
        call: Of the command.
        folder: To run it in.
        enough: Outputs.
        everything: Its workers too, which otherwise end by themselves.
    """
    images = folder / "out" / "images"
    run = subprocess.Popen(
        call,
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while run.poll() is None and _count(images) < enough:
        time.sleep(0.02)
    if run.poll() is not None:
        return _count(images)
    if everything:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()
    run.wait()
    return _count(images)


def check(folder: Path, last: Mapping[str, Any]) -> tuple[str, list[str]]:
    """What there is, and what does not add up.

    Args:
        folder: Of all.
        last: What the last run counted.
    """
    wrong = []
    outputs = {path.name for path in (folder / "out" / "images").iterdir()}
    inputs = len(list((folder / "in").iterdir()))
    card = json.loads((folder / "out" / "release.json").read_text())
    counts, quarantined = card["counts"], sum(last["quarantined"].values())
    if last["outputs"] + last["duplicates"] + quarantined != inputs:
        wrong.append(f"of {inputs} inputs the last run accounts for {last}")
    broken = len(range(0, inputs, EACH))
    if quarantined != broken:
        wrong.append(f"{broken} files are broken, {quarantined} in quarantine")
    copies = len(range(EACH + 1, inputs, EACH))
    if last["duplicates"] != copies:
        wrong.append(f"{copies} files are copies, {last['duplicates']} are called duplicates")
    if counts["images_in_release"] != len(outputs):
        wrong.append(f"{len(outputs)} files, {counts['images_in_release']} on the card")
    vault = Vault(folder / "vault")
    with vault.locked():
        book = vault.ledger()
        book.verify()
        entries = book.outputs(outputs)
        spent = book.spent()
        book.close()
    altered = [n for n, e in entries.items() if digest(folder / "out" / "images" / n) != e.sha256]
    if altered:
        wrong.append(f"{len(altered)} files are not as the ledger has them")
    if set(entries) != outputs:
        wrong.append(f"{len(outputs - set(entries))} files are in no ledger")
    charged = sum(part.micro_epsilon for part in spent.values())
    each = {entry.micro_epsilon for entry in entries.values()}
    if len(each) != 1 or charged != len(outputs) * min(each):
        wrong.append(f"charged {charged} micro-epsilon for {len(outputs)} outputs of {each}")
    stated = card["guarantee"]["image"]["epsilon"]
    if abs(min(each) - 1e6 * stated) > 1:
        wrong.append(f"charged {min(each)} micro-epsilon each, the card says {stated}")
    released = f"{inputs:,} inputs: {last}; {len(outputs):,} files; charged {charged / 1e6:,.3f}"
    return released, wrong


def _files(folder: Path) -> set[str]:
    """Digests of all files, hidden ones included."""
    return {digest(path) for path in folder.iterdir()} if folder.exists() else set()


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


def _parser() -> argparse.ArgumentParser:
    options = parser("kills", __doc__, seed=True)
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--kills", type=int, default=3)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--place", type=Path, help="where the files lie meanwhile")
    options.add_argument("--options", nargs=argparse.REMAINDER, default=[])
    return options


if __name__ == "__main__":
    main()
