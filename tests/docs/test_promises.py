"""The page of promises says what the tests hold, all of it and nothing else."""

import pytest

from docs._generate.promises import promises, promises_text
from docs._generate.tables import fill
from tests.support.documents import DOCS, ROOT


def test_every_promise_is_a_sentence_on_the_page():
    page = fill((DOCS / "explanation" / "promises.md").read_text(encoding="utf-8"))
    known = promises()
    assert len({promise.sentence for promise in known}) >= 15
    for promise in known:
        assert promise.sentence[0].isupper()
        assert promise.sentence.endswith(".")
        assert "|" not in promise.sentence
        (row,) = (line for line in page.splitlines() if line.startswith(f"| {promise.sentence} |"))
        assert f"`{promise.path}`: `{promise.test}`" in row
    assert page.count("<br>") + page.count("| `tests/") == len(known), "and nothing else"


def test_every_marker_is_found(pytestconfig):
    """As pytest knows it: a test that is marked in another way would be on no page."""
    marked = sum(
        path.read_text(encoding="utf-8").count("mark.promise(")
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.name != "test_promises.py"
    )
    assert marked == len(promises())
    assert any(line.startswith("promise(") for line in pytestconfig.getini("markers"))


@pytest.mark.parametrize(
    "marker", ["promise", "promise()", "promise('  ')", "promise(WORDS)", "promise('A.', 'B.')"]
)
def test_a_promise_without_a_sentence_ends_the_build(tmp_path, marker):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(
        f"import pytest\n\n@pytest.mark.{marker}\ndef test_x():\n    pass\n"
    )
    with pytest.raises(ValueError, match="test_x"):
        promises(tmp_path)


def test_promises_that_several_tests_hold_stand_once():
    sentences = [promise.sentence for promise in promises()]
    several = {sentence for sentence in sentences if sentences.count(sentence) > 1}
    assert several
    text = promises_text()
    assert all(text.count(sentence) == 1 for sentence in several)
