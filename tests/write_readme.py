"""Rewrites the generated parts of the README: `python -m tests.write_readme`."""

from tests.cli.test_docs import GENERATED, section
from tests.support.places import ROOT

if __name__ == "__main__":
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    for name, make in GENERATED.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        text = text.replace(start + section(name) + end, start + make() + end)
    path.write_text(text, encoding="utf-8")
