"""How help is divided, and what the shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from latentdp._cli._app import make_app
from latentdp._cli._panels import FIRST, ORDER, panels

APP = typer.main.get_command(make_app())


def options(name):
    command = APP.commands[name]
    context = typer.Context(command, info_name=name)
    return [p for p in command.get_params(context) if p.param_type_name == "option"]


@pytest.mark.parametrize("name", ["privatize", "explain", "synthesize"])
def test_the_first_panel_has_at_most_ten_options_and_all_are_in_one(name, command, capsys):
    divided = panels(options(name))
    assert next(iter(divided)) == FIRST
    assert len(divided[FIRST]) <= 10
    assert sum(map(len, divided.values())) == len(options(name))
    assert command(name, "--help") == 0
    shown = capsys.readouterr().out
    places = [shown.index(f"\n{title}:\n") for title in divided]
    assert places == sorted(places)


def test_every_panel_that_an_option_names_is_one():
    for name, command in APP.commands.items():
        for option in options(name) if not hasattr(command, "commands") else ():
            assert option.rich_help_panel in (*ORDER, None), (name, option.name)


def test_a_command_with_few_options_has_no_panels(command, capsys):
    assert command("ledger", "--help") == 0
    headings = [line for line in capsys.readouterr().out.splitlines() if line.endswith(":")]
    assert headings == ["Arguments:", "Options:"]


@pytest.mark.parametrize("group", [(), ("weights",)])
def test_what_is_not_called_is_listed_as_if_it_were_loaded(group, command, capsys):
    whole = APP
    for name in group:
        whole = whole.commands[name]
    assert command(*group, "--help") == 0
    listed = capsys.readouterr().out.partition("\nCommands:\n")[2]
    context = typer.Context(whole, info_name="latentdp", max_content_width=99)
    assert listed.strip()
    assert listed in whole.get_help(context) + "\n"


def test_a_command_of_others_words_is_still_found(command, capsys):
    """A word on the line may be called like a command that is not meant."""
    assert command("verify", "weights") == 2
    assert "expected a release card" in capsys.readouterr().err
    assert command("privatise") == 2
    assert "No such command 'privatise'" in capsys.readouterr().err


def completed(words):
    """What bash would offer for the last of some words, by the installed command."""
    script = Path(sys.executable).with_name("latentdp")
    environment = {
        **os.environ,
        "_LATENTDP_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    run = subprocess.run(
        [script], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return run.stdout.split()


def test_the_installed_command_completes():
    assert completed(["latentdp", "privatize", "--preset", "b"]) == ["balanced"]


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("privatize", "--preset", "high-content"),
        ("privatize", "--weights", "cxr-paediatric"),
        ("privatize", "--mechanism", "codebook"),
        ("explain", "--label-release", "response"),
        ("explain", "--transfer-syntax", "jpeg-ls"),
        ("explain", "--unlabelled", "refuse"),
        ("privatize", "--layout", "mirror"),
        ("synthesize", "--method", "mixture"),
        ("evaluate", "--verifier", "cxr-verifier-64"),
    ],
)
def test_names_are_completed(name, option, value):
    (parameter,) = (p for p in options(name) if option in p.opts)
    context = typer.Context(APP.commands[name], info_name=name)
    assert value in [item.value for item in parameter.shell_complete(context, value[:2])]
    assert not parameter.shell_complete(context, "no such")


def test_completion_can_be_installed(command, capsys):
    assert command("--help") == 0
    assert "--install-completion" in capsys.readouterr().out


@pytest.mark.parametrize("group", [[], ["weights"]])
def test_what_a_command_does_is_listed_in_whole_sentences(command, capsys, group):
    assert command(*group, "--help") == 0
    listed = capsys.readouterr().out.partition("\nCommands:\n")[2]
    assert listed
    assert "..." not in listed
