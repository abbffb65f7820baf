"""A run that is asked to end, at any step: one true line, and the same command goes on."""

import importlib
import signal
import threading

import pytest

from latentdp import InputError
from tests.support.folders import charges
from tests.support.places import SAMPLES
from tests.support.printed import errors_of
from tests.support.sweeps import some

IMAGES = 3
STEPS = {
    "load": ("latentdp.release.request", "ReleaseRequest.load"),
    "find": ("latentdp.release.run", "find_inputs"),
    "recover": ("latentdp.release.outputs", "Outputs.recover"),
    "take": ("latentdp.release.executor", "take_input"),
    "read": ("latentdp.release.decide", "Decider.end"),
    "reserve": ("latentdp.vault.ledger", "Ledger.reserve"),
    "draw": ("latentdp.privatizer.privatizer", "Privatizer.release_and_rate"),
    "draft": ("latentdp.vault.drafts", "Drafts.write"),
    "record": ("latentdp.vault.ledger", "Ledger.finish"),
    "publish": ("latentdp.release.outputs", "Outputs.publish"),
    "describe": ("latentdp.release.run", "write_documents"),
    "map": ("latentdp.release.uid_mapping", "UidMapping.write"),
    "review": ("latentdp.release.run", "write_review"),
}
SIGNALS = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@pytest.fixture
def run(tmp_path, command, tiny_weights, capsys):
    def privatize():
        code = command(
            "privatize", SAMPLES / "clinic-a", tmp_path / "out", "--vault", tmp_path / "vault",
            "--weights", tiny_weights, "--mapping-out", tmp_path / "map.csv", "--size", 16,
        )  # fmt: skip
        return code, errors_of(capsys.readouterr().err)

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals are for the main thread")
    return privatize


def ended(monkeypatch, step: str, number: int, *, late: bool) -> None:
    """The first call of a step meets a signal, before or after it."""
    module, name = STEPS[step]
    holder = importlib.import_module(module)
    for part in name.split(".")[:-1]:
        holder = getattr(holder, part)
    last = name.rpartition(".")[2]
    real, calls = getattr(holder, last), []

    def step_(*arguments, **options):
        calls.append(step)
        if len(calls) > 1:
            return real(*arguments, **options)
        if not late:
            signal.raise_signal(number)
        result = real(*arguments, **options)
        signal.raise_signal(number)
        return result

    monkeypatch.setattr(holder, last, step_)


@pytest.mark.parametrize("step", some(STEPS, ["reserve", "draft", "record", "publish", "review"]))
@pytest.mark.parametrize("late", some([False, True], [True]))
@pytest.mark.parametrize("name", some(SIGNALS, ["SIGTERM"]))
def test_a_signal_at_any_step_ends_with_one_line_and_nothing_is_lost(
    run, tmp_path, monkeypatch, name, step, late
):
    number = getattr(signal, name)
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("this process ignores it, as under nohup")
    with monkeypatch.context() as patch:
        ended(patch, step, number, late=late)
        code, errors = run()
    assert code == 128 + number
    assert len(errors) == 1
    assert errors[0].startswith(f"latentdp: stopped by {name}; ")
    assert errors[0].endswith("; run the same command again to go on")
    images = list((tmp_path / "out" / "images").glob("[!.]*"))
    begun = (tmp_path / "out" / "release.json").exists()
    if step == "review":
        assert f"holds a complete release of {IMAGES} finished images" in errors[0]
    elif begun:
        assert f"holds {len(images)} finished image" in errors[0]
        assert "incomplete release: do not hand it over yet" in errors[0]
    else:
        assert ("no release was begun" in errors[0]) == (step not in ("load", "find"))
    assert run() == (0, [])
    assert len(list((tmp_path / "out" / "images").iterdir())) == IMAGES
    assert charges(tmp_path) == {"reserve": IMAGES, "written": IMAGES}
    assert not list((tmp_path / "vault" / "drafts").iterdir())
    assert {p.name for p in (tmp_path / "out").glob(".*")} == {".latentdp"}


def test_a_closed_terminal_does_not_end_what_is_to_go_on(command, tmp_path, monkeypatch):
    """As under nohup, which has the signal ignored."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with monkeypatch.context() as patch:
            patch.setattr("latentdp.release.request.check_source", lambda _: _raised())
            assert command("privatize", tmp_path, tmp_path / "out") == 2
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def _raised() -> None:
    signal.raise_signal(signal.SIGHUP)
    raise InputError("went on")


def test_a_disk_that_fails_under_any_command_is_no_error_of_ours(command, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "/secret/path")

    monkeypatch.setattr("latentdp._cli.weights.list.shipped", full)
    assert command("weights", "list") == 5
    told = capsys.readouterr().err
    assert "No space left on device" in told
    assert "secret" not in told
