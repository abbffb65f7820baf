"""An image's way through ``latentdp privatize`` is one that can be read: step after step."""

from tests.support.modules_entered import FILE, way

ONCE = ("_cli.privatize", "release.run", "release.inputs")
MADE = ("release.tasks", "privatizer.privatizer")  # which draws an image, and then enlarges it
MOST = 24  # modules that a reader of the way has to open


def test_few_modules_are_entered_and_nothing_goes_back_to_the_run(tmp_path, tiny_weights, capsys):
    entered = way(FILE, tmp_path, options=("--weights", str(tiny_weights)))
    capsys.readouterr()
    assert [entered.count(name) for name in ONCE] == [1] * len(ONCE), "nobody calls them back"
    order = [name for name in dict.fromkeys(entered) if name in (*ONCE, *MADE)]
    assert order == [*ONCE, *MADE]
    assert len(set(entered)) <= MOST, " ".join(sorted(set(entered)))
