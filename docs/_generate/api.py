"""The public Python names, in the order of a reader's interest, as directives of mkdocstrings."""

from __future__ import annotations

import inspect

import latentdp

__all__ = ["public_names"]

_OPTIONS = """\
    options:
      heading_level: 3
      show_root_heading: true
      show_root_toc_entry: true
"""


def public_names() -> str:
    """A section each for functions, classes and errors; constants stand in the page's own text."""
    groups: dict[str, list[str]] = {"Functions": [], "Classes": [], "Errors": []}
    for name in latentdp.__all__:
        thing = getattr(latentdp, name)
        if inspect.isclass(thing):
            groups["Errors" if issubclass(thing, Exception) else "Classes"].append(name)
        elif callable(thing):
            groups["Functions"].append(name)
    return "\n".join(
        f"## {title}\n\n" + "".join(f"::: latentdp.{name}\n{_OPTIONS}\n" for name in names)
        for title, names in groups.items()
        if names
    )
