"""What is promised, as the tests say that hold it: the marker ``promise`` with a sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Promise", "promises", "promises_text"]

ROOT = Path(__file__).parents[2]
TOPICS = {  # rooms of the tests, in the order of the page
    "privacy": "The number",
    ".": "An image",
    "models": "The networks",
    "vault": "The sums of patients",
    "release": "What is released",
    "archives": "From and to archives",
    "data": "What is released",
    "reports": "What is said of it",
    "evaluation": "What is measured",
}
OTHERS = "All else"


@dataclass(frozen=True, order=True)
class Promise:
    """A sentence that a test holds.

    Attributes:
        path: Of the file with the test, from the repository.
        test: Name of the function.
        sentence: What is promised.
    """

    path: str
    test: str
    sentence: str

    @property
    def topic(self) -> str:
        """The heading under which it stands."""
        room = Path(self.path).relative_to("tests").parts[0]
        return TOPICS.get("." if room.endswith(".py") else room, OTHERS)


def promises(root: Path = ROOT) -> list[Promise]:
    """All promises of the tests below a folder, found without running one.

    Args:
        root: Holds ``tests``.

    Raises:
        ValueError: A marker has no sentence, or one that is put together as the tests run.
    """
    return [
        Promise(path.relative_to(root).as_posix(), test, sentence)
        for path in sorted((root / "tests").rglob("test_*.py"))
        for test, sentence in _marked(path)
    ]


def promises_text() -> str:
    """A section for each topic; a promise that several tests hold stands once."""
    known = promises()
    parts = []
    for topic in dict.fromkeys([*TOPICS.values(), OTHERS]):
        held: dict[str, list[str]] = {}
        for one in known:
            if one.topic == topic:
                held.setdefault(one.sentence, []).append(f"`{one.path}`: `{one.test}`")
        if held:
            rows = [f"| {sentence} | {'<br>'.join(by)} |\n" for sentence, by in held.items()]
            parts.append(f"## {topic}\n| promise | held by |\n|---|---|\n{''.join(rows)}")
    return "\n".join(parts)


def _marked(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if ast.unparse(decorator).startswith("pytest.mark.promise"):
                    yield node.name, _sentence(decorator, f"{path}: {node.name}")


def _sentence(marker: ast.expr, where: str) -> str:
    """The only argument of a marker, written out.

    Raises:
        ValueError: There is none.
    """
    match marker:
        case ast.Call(args=[ast.Constant(value=str(sentence))], keywords=[]) if sentence.strip():
            return sentence
    raise ValueError(f"expected a promise with one sentence, written out, at {where}")
