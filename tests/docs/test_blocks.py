"""What README and pages tell a reader to type is understood, runs, and prints what they show."""

import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import typer
from latentdp._cli._app import make_app

from tests.support.documents import (
    DOCS,
    README,
    ROOT,
    blocks,
    commands,
    documents,
    inline_code,
    name,
)
from tests.support.places import SHARED
from tests.support.sweeps import slow
from tests.support.world import public_images

ALL = documents()
APP = typer.main.get_command(make_app())
FIRST = (README,)  # what everybody types; pages are run by `make test-all`
RUN = [
    pytest.param(path, id=name(path)) if path in FIRST else slow(path, id=name(path))
    for path in ALL
    if any(block.language == "sh" for block in blocks(path))
]
PYTHON = [  # of the guide the examples in docstrings repeat what takes long
    pytest.param(path, id=name(path)) if path in FIRST else slow(path, id=name(path))
    for path in ALL
    if any(block.language == "python" for block in blocks(path))
]


def walk(words):
    """The command that words name, its own name, and the words that are left for it."""
    command, called = APP, "latentdp"
    while words and words[0] in getattr(command, "commands", {}):
        command, called, words = command.commands[words[0]], f"{called} {words[0]}", words[1:]
        assert not command.hidden, f"{called} is an old name"
    return command, called, words


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_command_understands_every_line(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project.toml").write_text('in = "a"\nout = "b"\n', encoding="utf-8")
    for line in commands(path):
        _, *words = shlex.split(line, comments=True)
        command, called, rest = walk(words)
        assert not (hasattr(command, "commands") and rest and rest[0][0] != "-"), line
        above = None if command is APP else typer.Context(APP, info_name="latentdp")
        command.make_context(called, rest, parent=above)  # raises if anything is wrong with it


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_command_and_option_in_the_text_exists(path):
    for code in inline_code(path):
        if code.startswith("latentdp "):
            _, called, rest = walk([w for w in code.split()[1:] if w not in ("COMMAND", "...")])
            group = hasattr(walk(called.split()[1:])[0], "commands")
            assert not (group and rest and re.fullmatch(r"[a-z][a-z-]*", rest[0])), code
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", code):
            assert option in options(), (code, option)


@cache
def options():
    """All of the command, of the benchmarks, and of others' tools that the pages name."""
    found = {"--no-dry-run", "--nworkers", "--nthreads", "--nproc-per-node", "--help", "--version"}
    below = [APP]
    while below:
        command = below.pop()
        below += getattr(command, "commands", {}).values()
        found |= {option for parameter in command.params for option in parameter.opts}
    for path in (ROOT / "benchmarks").glob("*.py"):
        found |= set(re.findall(r'"(--[a-z][\w-]*)"', path.read_text(encoding="utf-8")))
    return found


def public() -> Path:
    """The radiographs that a page calls DATA; what follows on it needs them."""
    if not (SHARED / "cxr").is_dir():
        pytest.skip("the shared real radiographs are not here")
    return SHARED / "cxr"


@pytest.fixture(scope="module")
def released(tmp_path_factory, command):
    """Where a reader of the README stands: the samples, and a release of them."""
    place = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "samples", place / "samples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert command("privatize", "samples/cxr", "release") == 1
    return place


@pytest.mark.xdist_group("docs")  # they share a release
@pytest.mark.usefixtures("least_effort")  # what is typed is tried, not how strong attackers are
@pytest.mark.parametrize("path", RUN)
def test_commands_run_and_print_what_is_shown(
    path, command, released, tmp_path, monkeypatch, capsys
):
    """One after the other, as a reader would run them: later ones need earlier ones."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    if path == README:
        shutil.copytree(ROOT / "samples", tmp_path / "samples")
    else:
        shutil.copytree(released, tmp_path, dirs_exist_ok=True)
    printed = set()
    for block in blocks(path):
        if block.language == "csv" and block.title:
            Path(block.title).write_text("\n".join(block.lines) + "\n", encoding="utf-8")
        if block.language == "sh":
            for line in block.lines:
                if line.startswith("python samples/"):
                    _, *words = shlex.split(line, comments=True)
                    words = [str(public()) if word == "DATA" else word for word in words]
                    subprocess.run([sys.executable, *words], check=True)
                if line.startswith("latentdp "):
                    _, *arguments = shlex.split(line, comments=True)
                    refused = block.title == "refused"
                    assert command(*arguments) in ((2,) if refused else (0, 1)), line
                    out, err = capsys.readouterr()
                    assert ("latentdp:" in err) == refused, line  # progress may stand there
                    shown = out + err if refused else out
                    printed |= {" ".join(row.split()) for row in shown.splitlines()}
        if block.language == "output":
            shown = {" ".join(row.split()) for row in block.lines if row.strip()}
            assert shown <= printed


@pytest.mark.usefixtures("least_effort")
@pytest.mark.parametrize("path", PYTHON)
def test_python_runs(path, world, tmp_path, monkeypatch, capsys):
    public_images(world, tmp_path / "public")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    images = np.random.default_rng(0).random((2, 64, 64)).astype(np.float32)
    space = {"images": images, "labels": np.array([0, 1])}
    for block in blocks(path):
        if block.language == "python":
            exec("\n".join(block.lines), space)  # a page's own lines, one block after the other
    assert "epsilon" in capsys.readouterr().out
    assert space["release"].images.shape == (2, 64, 64)
    assert space["release"].guarantee.secure


def test_every_page_is_in_the_navigation():
    """A page that nobody finds is no page; those that are made are found by their folder."""
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[2]
    for path in DOCS.rglob("*.md"):
        assert path.relative_to(DOCS).as_posix() in navigation


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_table_has_a_header(path):
    """A row behind a blank line is a paragraph with bars in it."""
    lines = ["", *path.read_text(encoding="utf-8").splitlines(), ""]
    headers = [
        following
        for before, line, following in zip(lines, lines[1:], lines[2:], strict=False)
        if line.startswith("|") and not before.startswith("|")
    ]
    assert all(re.fullmatch(r"\|[ :|-]+\|", line) for line in headers)
