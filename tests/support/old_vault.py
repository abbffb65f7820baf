"""A vault and its releases as an older version made them, and what that version did next.

``python -m tests.support.old_vault COMMAND`` makes all of it again with that version's command:
the inputs, three releases of them in as many layouts, and what the command says when it goes on in
a copy. What is random in an output (its name, its pixels) is not compared.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from latentdp.models.checkpoints import Checkpoint, save
from latentdp.models.model_card.card import ModelCard
from tests.support import dicom_files
from tests.support.folders import picture_at
from tests.support.tiny_flow import make_net

FOLDER = Path(__file__).parents[1] / "vault" / "made_by_0_1"
MADE_AT = Path("/tmp/latentdp made by 0.1")  # the ledger keeps it; later it is elsewhere
RELEASES = {
    # One of four candidates, as the preset then had it.
    "flat": ["--preset", "strict", "--candidates", "4", "--labels", "labels.csv"],
    "study": ["--preset", "dp-glow", "--epsilon", "2560", "--mapping-out", "map.csv"],
    "mirror": ["--preset", "dp-glow", "--epsilon", "2560"],
}
LABELS = 'file,label\n"Doe, Jane/1.dcm",a\nRoe/2.dcm,b\np.png,c\n'
RANDOM = re.compile(r"\b[0-9a-f]{32}(?=\.(?:dcm|png))")  # the name of an output
Command = Callable[..., tuple[int, str]]  # arguments to exit code and what it printed


def radiograph_at(path: Path, number: int, **elements: str) -> None:
    """A small radiograph whose picture and UIDs are of this number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "PatientID": f"P{number}",
        "StudyInstanceUID": f"1.2.3.{number}.1",
        "SeriesInstanceUID": f"1.2.3.{number}.2",
        "SOPInstanceUID": f"1.2.3.{number}.3",
    }
    stored = np.roll(dicom_files.gradient(64, 64, top=255), 17 * number)
    dicom_files.save(dicom_files.radiograph(stored, bits=8, **(told | elements)), path)


def release(command: Command, layout: str, *more: str) -> tuple[int, str]:
    """The command for one of the releases, in the working folder."""
    return command(
        "privatize", "in", layout, "--vault", "vault", "--layout", layout,
        "--weights", "flow.safetensors", "--json", *RELEASES[layout], *more,
    )  # fmt: skip


def restore(place: Path) -> None:
    """Lays the files into an empty folder, as they were."""
    shutil.copytree(FOLDER / "files", place, dirs_exist_ok=True)
    vault = place / "vault"
    vault.chmod(0o700)
    (vault / "key").write_bytes(bytes.fromhex((FOLDER / "key.hex").read_text()))
    (vault / "key").chmod(0o600)
    with closing(sqlite3.connect(vault / "ledger.sqlite")) as ledger:
        ledger.executescript((FOLDER / "ledger.sql").read_text())


def carry_on(command: Command, place: Path) -> dict[str, Any]:
    """Releases one more input in all three releases, checks them, and gathers what was said.

    Args:
        command: Works in ``place``.
        place: Where the files were restored.
    """
    known = {RANDOM.search(name) for layout in RELEASES for name in images(place / layout)}
    names = {match[0] for match in known if match is not None}

    def plain(text: str) -> Any:
        """JSON without the times of reports, names drawn now, and a float's last digits."""
        text = re.sub(r"\d{8}T\d{12}Z", "TIME", text)
        text = RANDOM.sub(lambda match: match[0] if match[0] in names else "NEW", text)
        return json.loads(text, parse_float=lambda digits: float(f"{float(digits):.9g}"))

    def said(code: int, text: str) -> dict[str, Any]:
        """What a command said and is not on the card."""
        return {"exit": code} | {
            key: value
            for key, value in plain(text).items()
            if key not in ("guarantee", "warnings")
        }

    radiograph_at(place / "in" / "Roe" / "3.dcm", 3, PatientID="P2")
    says: dict[str, Any] = {
        f"preview of {layout}": said(*release(command, layout, "--dry-run")) for layout in RELEASES
    }
    for layout in RELEASES:
        out = place / layout
        before = images(out)
        now = said(*release(command, layout))
        after = images(out)
        report = max((place / "vault" / "reports").glob("*.jsonl"))
        rows = [plain(line) for line in report.read_text().splitlines()]
        says[layout] = {
            "privatize": now,
            "images": sorted(plain(json.dumps(name)) for name in after),
            "unaltered": all(after[name] == data for name, data in before.items()),
            "new": [identity(out / "images" / name) for name in sorted(after.keys() - before)],
            "report": sorted(map(settled, rows), key=lambda row: row["file"]),
            "statuses": Counter(row["status"] for row in rows),
            "card": plain((out / "release.json").read_text()),
            "verify": command("verify", layout)[0],
            "page": command("report", layout)[0],
        }
    says["ledger"] = said(*command("ledger", "vault", "--json", "--patients"))
    says["map"] = (place / "map.csv").read_text() + (place / "map.patients.csv").read_text()
    radiograph_at(place / "in" / "Roe" / "4.dcm", 4, PatientID="P2")
    lowered, _ = command("ledger", "vault", "--cap", "1")
    says["capped"] = [lowered, release(command, "flat")[0]]
    return json.loads(json.dumps(says))


def images(out: Path) -> dict[str, bytes]:
    """The images of a release by their paths below its folder of images."""
    found = sorted(path for path in (out / "images").rglob("*") if path.is_file())
    return {path.relative_to(out / "images").as_posix(): path.read_bytes() for path in found}


def identity(path: Path) -> list[str]:
    """The pseudonyms that a released file states."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return [
        str(dataset[keyword].value)
        for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    ]


def settled(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a private report without chance: which of two equal inputs came first."""
    kept = {key: row[key] for key in ("file", "status", "output", "id", "reason") if key in row}
    return kept | ({"status": "there"} if kept["status"] in ("already", "duplicate") else {})


def _make(latentdp: str) -> None:
    """Makes everything with the command of another commit."""

    def at(place: Path) -> Command:
        def command(*arguments: str) -> tuple[int, str]:
            done = subprocess.run(
                [latentdp, *arguments], cwd=place, capture_output=True, text=True, check=False
            )
            return done.returncode, done.stdout

        return command

    for folder in (FOLDER, MADE_AT):
        shutil.rmtree(folder, ignore_errors=True)
    _inputs(MADE_AT)
    command = at(MADE_AT)
    print(command("ledger", "vault", "--cap", "6000"))
    for layout in RELEASES:
        print(release(command, layout))
    _store(MADE_AT)
    shutil.rmtree(MADE_AT)
    elsewhere = MADE_AT.with_name("latentdp elsewhere")
    shutil.rmtree(elsewhere, ignore_errors=True)
    restore(elsewhere)
    says = carry_on(at(elsewhere), elsewhere)
    (FOLDER / "then.json").write_text(json.dumps(says, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(elsewhere)


def _inputs(place: Path) -> None:
    """Three patients; one picture under other UIDs, one file twice, one that is no picture."""
    radiograph_at(place / "in" / "Doe, Jane" / "1.dcm", 1)
    radiograph_at(
        place / "in" / "Doe, Jane" / "again.dcm", 1,
        StudyInstanceUID="1.2.3.1.8", SOPInstanceUID="1.2.3.1.9",
    )  # fmt: skip
    radiograph_at(place / "in" / "Roe" / "2.dcm", 2)
    picture_at(place / "in" / "p.png", 4)
    shutil.copy(place / "in" / "p.png", place / "in" / "q.png")
    (place / "in" / "notes.txt").write_text("no picture\n")
    (place / "labels.csv").write_text(LABELS)
    net = make_net()
    tensors = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    config = net.config.to_json()
    save(
        Checkpoint(name="tiny", kind="glow", config=config, card=ModelCard(), tensors=tensors),
        place / "flow.safetensors",
    )


def _store(place: Path) -> None:
    """Keeps all but what is made again: pages and pictures of the private review."""
    key = place / "vault" / "key"
    FOLDER.mkdir(parents=True)
    (FOLDER / "key.hex").write_text(key.read_bytes().hex() + "\n")
    key.unlink()
    with closing(sqlite3.connect(place / "vault" / "ledger.sqlite")) as ledger:
        dump = "".join(f"{line}\n" for line in ledger.iterdump())
    (FOLDER / "ledger.sql").write_text(dump)
    left_out = shutil.ignore_patterns("*.html", "ledger.sqlite*", "before-after*", "lock")
    shutil.copytree(place, FOLDER / "files", ignore=left_out)


if __name__ == "__main__":
    _make(sys.argv[1])
