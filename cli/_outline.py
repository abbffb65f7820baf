"""What help lists of a command that is not called: its docstring, read without loading it.

Commands load what their options are made of, which takes longer than anything that help prints.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path

__all__ = ["outline"]


def outline(package: str, name: str) -> Callable[[], None]:
    """A function that does nothing, under the docstring of a command.

    Args:
        package: Whose module or package the command is.
        name: Of that module.
    """
    folders = [Path(place) for place in importlib.import_module(package).__path__]
    places = [place for f in folders for place in (f / f"{name}.py", f / name / "__init__.py")]
    source = ast.parse(next(place for place in places if place.is_file()).read_bytes())
    wanted = {"command"}
    for node in source.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "command":
            wanted = {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    docstrings = [
        ast.get_docstring(node)
        for node in source.body
        if isinstance(node, ast.FunctionDef) and node.name in wanted
    ]

    def stand_in() -> None:
        pass

    stand_in.__doc__ = docstrings[-1] if docstrings else None
    return stand_in
