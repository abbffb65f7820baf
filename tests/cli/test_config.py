"""Options from a file and into one, for every command that takes one, whatever its options are."""

import json
import tomllib
from pathlib import Path

import pytest
import typer
from hypothesis import example, given
from hypothesis import strategies as st
from latentdp._cli._app import make_app
from latentdp._cli._config import key_of, keys, takes_file
from latentdp._cli._save_config import saved

from latentdp import InputError
from tests.support.places import SAMPLES

APP = typer.main.get_command(make_app())
NAMES = [name for name, command in APP.commands.items() if takes_file(command)]
PLACES = {Path("IN"), Path("OUT"), Path("COHORT"), Path("FOLDERS")}
ARGUMENTS = {
    "privatize": ["IN", "OUT"],
    "explain": ["IN"],
    "synthesize": ["COHORT", "OUT"],
    "watch": ["FOLDERS"],
}


def parsed(name, *arguments):
    """The context of a command whose arguments were understood."""
    root = typer.Context(APP, info_name="latentdp")
    return APP.commands[name].make_context(name, [str(a) for a in arguments], parent=root)


def given_to(name, file, text, *arguments):
    """The parameters of a command that takes a file with this text."""
    file.write_text(text, encoding="utf-8")
    return parsed(name, "--config", file, *arguments).params


def some_value(parameter):
    """One that is no default, as it is typed."""
    descriptor = parameter.type_descriptor
    if parameter.is_bool_flag:
        return []
    if descriptor.is_choice:
        return [next(str(c) for c in descriptor.choices if c != parameter.default)]
    return ["7" if descriptor.annotation in (int, float) else "some/thing.csv"]


def place(value):
    """A path as it is from anywhere; another value as it is."""
    return Path(value).resolve() if "/" in str(value) or value in PLACES else value


def test_the_commands_that_share_options_take_a_file():
    assert NAMES == ["privatize", "synthesize", "explain", "watch"]


@pytest.mark.parametrize("name", NAMES)
def test_every_option_comes_back_from_a_file_that_was_saved(name, tmp_path, monkeypatch):
    """Without a word here about any option: one that is added tomorrow is among them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "below").mkdir()
    call = [*ARGUMENTS[name]]
    for parameter in APP.commands[name].params:
        if (
            parameter.param_type_name == "option"
            and parameter in keys(APP.commands[name]).values()
        ):
            call += [parameter.opts[0], *some_value(parameter)]
    first = parsed(name, *call, "--save-config", "below/all.toml")
    with saved(first):
        pass
    again = parsed(name, "--config", "below/all.toml")

    def there(ctx):
        held = {k: v for k, v in ctx.params.items() if k not in ("config", "save_config")}
        return {k: list(map(place, v)) if type(v) is list else place(v) for k, v in held.items()}

    assert there(again) == there(first)
    assert there(again)["weights"] == tmp_path / "some/thing.csv"
    text = (tmp_path / "below" / "all.toml").read_text(encoding="utf-8")
    assert not [key for key in keys(APP.commands[name]) if f"\n#{key} =" in text], "all were given"


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_given_is_a_comment_with_its_default(name, tmp_path):
    file = tmp_path / "a.toml"
    with saved(parsed(name, *ARGUMENTS[name], "--save-config", file)):
        text = file.read_text(encoding="utf-8")
    assert set(tomllib.loads(text)) == {a.lower() for a in ARGUMENTS[name]}
    assert '#weights = "cxr-adult"\n' in text
    for key in keys(APP.commands[name]):
        assert f"\n#{key} =" in text or f"\n{key} = " in text


def test_the_command_line_goes_before_a_section_and_that_before_the_top(tmp_path):
    file, text = tmp_path / "a.toml", 'epsilon = 2\nsize = 64\n[explain]\nepsilon = 3\nin = "x"\n'
    explained = given_to("explain", file, text)
    assert (explained["epsilon"], explained["size"], explained["source"]) == (
        3.0,
        64,
        tmp_path / "x",
    )
    assert given_to("privatize", file, text, "IN", "OUT")["epsilon"] == 2.0
    assert given_to("explain", file, text, "IN", "--epsilon", 4)["epsilon"] == 4.0
    assert given_to("explain", file, text, "IN")["source"] == Path("IN")


def test_a_flag_of_a_file_can_be_undone(tmp_path):
    file, text = tmp_path / "a.toml", "shift-dates = true\nno_detail = true\n"
    both = ("shift_dates", "no_detail")
    kept = given_to("explain", file, text, "IN")
    assert [kept[name] for name in both] == [True, True]
    undone = given_to("explain", file, text, "IN", "--no-shift-dates", "--detail")
    assert [undone[name] for name in both] == [False, False]


def test_paths_begin_in_the_folder_of_the_file_and_names_are_no_paths(tmp_path):
    text = 'labels = "l.csv"\nweights = "mine.safetensors"\nledger = "sqlite:///l.db"\n'
    params = given_to("privatize", tmp_path / "a.toml", text + 'cluster = "tcp://a.b:1"', "I", "O")
    assert params["labels"] == tmp_path / "l.csv"
    assert params["weights"] == str(tmp_path / "mine.safetensors")
    assert params["ledger"] == f"sqlite:///{tmp_path / 'l.db'}"
    assert params["cluster"] == "tcp://a.b:1"
    named = given_to("privatize", tmp_path / "a.toml", 'weights = "cxr-adult"', "I", "O")
    assert named["weights"] == "cxr-adult"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epsilom = 3", "a.toml: there is no option 'epsilom'; did you mean 'epsilon'"),
        ("[privatise]\nepsilon = 3", "no section 'privatise'; did you mean 'privatize'?"),
        ("[evaluate]\nsteps = 3", "no section 'evaluate'; there are: explain, privatize, synth"),
        ("[explain]\nworkers = 3", "no option [explain] 'workers'"),
        ("[privatize]\nwoker = 3", "no option [privatize] 'woker'; did you mean 'workers'?"),
        ("zzz = 3", "no option 'zzz'; `latentdp explain --help` lists them"),
        ("config = 'b.toml'", "no option 'config'"),
        ("epsilon = 'three'", "expected epsilon to be a number, got text"),
        ("epsilon = true", "expected epsilon to be a number, got true or false"),
        ("size = 64.0", "expected size to be a whole number, got a number"),
        ("labels = 3", 'expected labels to be text in quotes ("..."), got a whole number'),
        ("shift-dates = 1", "expected shift-dates to be true or false, got a whole number"),
        ("labels = ['a']", "got a list"),
        ("epsilon = 2026-01-01", "got another type"),
        ("[privatize]\nworkers = '2'", "expected [privatize] workers to be a whole number"),
        ("layout = 'tree'", "a.toml: layout: "),
        ("shift-dates = true\nshift_dates = true", "is there twice"),
        ("epsilon = ", "a.toml is no TOML: "),
        (f"epsilon = {'9' * 5_000}", "a.toml is no TOML: "),
        (f"epsilon = {'[' * 100_000}", "a.toml is nested too deeply"),
    ],
)
def test_what_is_wrong_in_a_file_is_one_line_that_names_it(
    text, message, tmp_path, command, capsys
):
    file = tmp_path / "a.toml"
    file.write_text(text, encoding="utf-8")
    assert command("explain", SAMPLES, "--config", file) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_file_that_is_not_there_or_no_text(tmp_path, command, capsys):
    assert command("explain", SAMPLES, "--config", tmp_path / "none.toml") == 2
    assert "expected --config to be a file that can be read" in capsys.readouterr().err
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe")
    assert command("explain", SAMPLES, "--config", tmp_path / "a.toml") == 2
    assert "a.toml is no TOML" in capsys.readouterr().err


def test_a_run_that_was_saved_runs_the_same_again(
    tmp_path, command, capsys, tiny_weights, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    call = ("--epsilon", 4, "--weights", tiny_weights, "--vault", "v", "--json")
    source, name = SAMPLES / "clinic-a", "below/project.toml"
    (tmp_path / "below").mkdir()
    assert command("privatize", source, "out", *call, "--save-config", name) == 0
    first = json.loads(capsys.readouterr().out)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert command("privatize", "--config", "../below/project.toml") == 0
    again = json.loads(capsys.readouterr().out)
    assert (first["written_now"], again["written_now"]) == (3, 0), "it is the same release"
    assert Path(again["release"]).resolve() == tmp_path / "out" / "release.json"
    assert command("explain", "--config", "../below/project.toml") == 0
    explained = json.loads(capsys.readouterr().out)
    assert explained["guarantee"] == first["guarantee"]["image"]


def test_a_file_is_written_over_by_the_same_alone(tmp_path, command, capsys, tiny_weights):
    file = tmp_path / "a.toml"
    call = ("explain", SAMPLES / "clinic-a", "--weights", tiny_weights, "--save-config", file)
    assert command(*call) == 0
    text = file.read_text(encoding="utf-8")
    assert command(*call) == 0
    capsys.readouterr()
    assert command(*call, "--epsilon", 3) == 2
    assert "a.toml is there already" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == text


def test_what_is_refused_leaves_no_file(tmp_path, command, capsys):
    file = tmp_path / "a.toml"
    assert command("explain", SAMPLES, "--epsilon", -1, "--save-config", file) == 2
    assert command("explain", SAMPLES, "--save-config", tmp_path / "none" / "a.toml") == 2
    assert "expected --save-config to be a file that can be written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("postgresql://me@host:5432/ledger", True),
        ("postgresql://host/ledger", True),
        ("postgresql://me:hunter2@host/ledger", False),
        ("postgresql://me:hun@ter2/x@host/ledger", False),
        ("postgresql://me@host/ledger?password=hunter2", False),
        ("postgresql://me:hunter2#x@host/ledger", False),
    ],
)
def test_no_password_is_written(url, kept, tmp_path):
    file = tmp_path / "a.toml"
    with saved(parsed("privatize", "IN", "OUT", "--ledger", url, "--save-config", file)):
        text = file.read_text(encoding="utf-8")
    assert ("ledger" in tomllib.loads(text)) == kept
    assert "hunter2" not in text


@given(st.text(min_size=1).filter(lambda s: "\0" not in s))
@example("sqlite:///")
def test_any_text_is_written_and_read_as_it_was(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("any") / "a.toml"
    call = ("explain", "IN", f"--mechanism={text}", "--save-config", file)
    with saved(parsed(*call)):
        assert parsed("explain", "--config", file).params["mechanism"] == text


def test_a_name_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "a.toml"
    call = ("explain", "in-\udcff", "--save-config", file)
    with pytest.raises(InputError, match="something given is no text"), saved(parsed(*call)):
        pass
    assert not list(tmp_path.iterdir())


def test_help_of_a_file_shows_what_it_sets(tmp_path, command, capsys):
    (tmp_path / "a.toml").write_text('preset = "tight"', encoding="utf-8")
    assert command("explain", "--config", tmp_path / "a.toml", "--help") == 0
    assert "[default: tight]" in " ".join(capsys.readouterr().out.split())


def test_keys_are_the_names_of_options_and_arguments():
    named = {key_of(p) for p in APP.commands["privatize"].params}
    assert {"in", "out", "label-release", "dry-run"} <= named
