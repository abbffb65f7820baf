"""The README is compared with the program, and its commands are run."""

import importlib
import re
import shlex
import shutil

import numpy as np
import pytest
import typer

import latentdp
from latentdp import PRESETS
from latentdp.core.plugins import load as load_plugin
from latentdp.core.plugins import names
from latentdp.data.dicom.attributes import ACTIONS
from latentdp.data.dicom.refusals import REASONS
from latentdp.models.checkpoints import load, shipped
from latentdp.release.tasks import LOST, NON_FINITE, NOT_A_FILE
from latentdp.reports.release_card import NOT_COVERED
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    return README.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def presets() -> str:
    rows = "".join(
        f"| `{name}` | {p.summary} | {p.values['epsilon']:g} |\n" for name, p in PRESETS.items()
    )
    return "| preset | what it does | default epsilon |\n|---|---|---|\n" + rows


def not_covered() -> str:
    return "".join(f"- {line}\n" for line in NOT_COVERED)


def attributes() -> str:
    rows = ""
    for a in ACTIONS:
        option = f"`--{a.option.replace('_', '-')}`: {a.instead or 'not written'}"
        rows += (
            f"| {a.keyword} | {a.holds or 'not written'} | {option if a.option else ''} "
            f"| {', '.join(a.kinds)} |\n"
        )
    return "| attribute | holds | with an option | in |\n|---|---|---|---|\n" + rows


def reasons() -> str:
    others = (LOST, NON_FINITE, NOT_A_FILE)
    told = {**REASONS, **{refusal.reason: refusal.message for refusal in others}}
    rows = "".join(f"| `{reason}` | {text} |\n" for reason, text in sorted(told.items()))
    return "| reason | meaning |\n|---|---|\n" + rows


def weights() -> str:
    rows = ""
    for name in sorted(shipped("glow")):
        card = load(name).card
        bits, near = card["bits_per_dimension"], card["memorisation"]
        rows += (
            f"| `{name}` | {', '.join(load(name).card['class_counts_train'])} "
            f"| {card['images']['train']:,} | {bits['val']:.3f} | {bits['test']:.3f} "
            f"| {card['round_trip_error']:.0e} "
            f"| {near['sample_median']:.1f} / {near['val_median']:.1f} |\n"
        )
    return (
        "| weights | classes | training images | bits/dim val | test | round-trip error "
        "| nearest training image: samples / new patients |\n|---|---|---|---|---|---|---|\n"
    ) + rows


def carried() -> str:
    tables = {name: load(name).card["directions"]["probes"] for name in sorted(shipped("glow"))}
    sizes = [k for k in (1, 2, 4, 8, 16, 32, 64) if k in tables[min(tables)]["sizes"]]
    rows = ""
    for k in [*sizes, "all"]:
        cells = [f"| {k} "]
        for probes in tables.values():
            found = probes["all"] if k == "all" else probes["directions"][probes["sizes"].index(k)]
            for what in ("finding", "identity"):
                value, low, high = found[what]
                cells.append(f"| {value:.2f} ({low:.2f} to {high:.2f}) ")
        rows += "".join(cells) + "|\n"
    head = "".join(f"| `{name}`: finding | identity " for name in tables)
    return f"| k {head}|\n|---{'|---' * 2 * len(tables)}|\n{rows}"


def attacks() -> str:
    titles = [(n, load_plugin("attacks", n).attack.title) for n in names("attacks")]
    return "".join(f"| `{name}` | {title} |\n" for name, title in titles)


def verifiers() -> str:
    rows = ""
    for name in sorted(shipped("embedding")):
        seen = load(name).card["verification"]["test"]
        cells = [seen["any"]["auc"], seen["hard"]["auc"], seen["hard"]["eer"], seen["p@1"]]
        cells.append(seen["map@r"])
        told = " | ".join(f"{v:.3f} ({low:.3f}-{high:.3f})" for v, low, high in cells)
        rows += f"| `{name}` | {seen['patients']:,} | {told} |\n"
    return (
        "| weights | test patients | AUC, any impostors | AUC, hard impostors | EER, hard | P@1 "
        "| mAP@R |\n|---|---|---|---|---|---|---|\n"
    ) + rows


GENERATED = {
    "verifiers": verifiers,
    "attacks": attacks,
    "carried": carried,
    "presets": presets,
    "not covered": not_covered,
    "attributes": attributes,
    "reasons": reasons,
    "weights": weights,
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_parts_are_current(name):
    """Run `python -m tests.write_readme` after a change."""
    assert section(name) == GENERATED[name]()


def commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("latentdp")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "samples", place / "samples")
    return place


def test_commands_of_the_readme_run(command, folder, monkeypatch, capsys):
    """One after the other, as a reader would run them: later ones need earlier ones."""
    monkeypatch.chdir(folder)
    for line in commands():
        _, *arguments = shlex.split(line, comments=True)
        assert command(*arguments) in (0, 1), line
        assert not capsys.readouterr().err, line


def test_the_result_stands_within_30_lines():
    assert "indistinguishable up to epsilon" in "\n".join(README.splitlines()[:30])


def test_the_printed_result_is_what_the_command_prints(command, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")
    shutil.rmtree(folder / "release", ignore_errors=True)
    shutil.rmtree(folder / "release.vault", ignore_errors=True)
    command("privatize", "samples/cxr", "release")
    printed = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    block = README.split("```\nrelease of")[1].split("```")[0]
    for line in ("release of" + block).splitlines():
        assert " ".join(line.split()) in printed | {""}


def test_python_of_the_readme_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    rng = np.random.default_rng(0)
    space = {
        "images": rng.random((2, 64, 64)).astype(np.float32),
        "labels": np.array([0, 1]),
    }
    exec(code, space)  # the README's own five lines
    assert "epsilon" in capsys.readouterr().out
    assert space["release"].images.shape == (2, 64, 64)


# Where the README tells the options of a command; some share theirs with another one.
SECTIONS = {
    "latentdp privatize": ["Options"],
    "latentdp explain": ["Options"],
    "latentdp verify": ["Options"],
    "latentdp report": [],
    "latentdp evaluate": ["Evaluating a release"],
    "latentdp compare": ["Compared with others", "Evaluating a release"],
    "latentdp ledger": ["The ledger"],
    "latentdp audit": ["Audit"],
    "latentdp weights train": ["Training your own"],
    "latentdp weights train-verifier": ["The critic", "Training your own"],
    "latentdp weights train-detail": ["Detail of larger images", "Training your own"],
    "latentdp weights add-detail": ["Detail of larger images", "Training your own"],
    "latentdp weights add-critic": ["The critic", "Training your own"],
    "latentdp weights add-directions": ["Public directions"],
    "latentdp weights": ["Weights", "Training your own"],
    "latentdp weights show": ["Weights", "Training your own"],
    "latentdp weights check": ["Training your own"],
}


def under(heading: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    (text,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", README, re.DOTALL | re.MULTILINE)
    return text


def test_every_option_is_documented_where_its_command_is():
    from importlib.metadata import entry_points

    (entry,) = entry_points(group="console_scripts", name="latentdp")
    assert entry.module == "latentdp._cli.entry"
    app = typer.main.get_command(importlib.import_module("latentdp._cli.main").app)
    assert hasattr(app, "commands")
    for name, made in below("latentdp", app):
        assert name in README
        assert made.help
        told = "".join(map(under, SECTIONS[name]))
        for parameter in made.params:
            if parameter.param_type_name != "option":
                continue
            longest = max(parameter.opts, key=len)
            found = re.search(rf"{longest}(?![\w-])", told)
            assert longest == "--help" or found, (name, longest)


def below(name, made):
    """All commands below one, with those of groups."""
    for part, one in getattr(made, "commands", {}).items():
        yield f"{name} {part}", one
        yield from below(f"{name} {part}", one)


def test_every_mechanism_and_weight_is_named():
    for name in (*names("mechanisms"), *shipped(), *latentdp.PRESETS):
        assert f"`{name}`" in README


def test_public_names_are_sorted_and_exist():
    public = [n for n in latentdp.__all__ if not n.startswith("__")]
    assert all(hasattr(latentdp, name) for name in latentdp.__all__)
    assert public == sorted(public, key=lambda n: (not n.isupper(), n))


def test_the_changelog_names_the_version():
    assert f"## {latentdp.core.version.__version__}" in (ROOT / "CHANGELOG.md").read_text()
