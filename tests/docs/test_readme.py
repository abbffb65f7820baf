"""The README: short, with its result at the top, and every link leads somewhere."""

import latentdp
from latentdp.core.version import __version__
from tests.support.documents import README, ROOT, anchors, blocks, links

TEXT = README.read_text(encoding="utf-8")


def test_a_stranger_reads_it_in_two_minutes():
    assert len(TEXT.splitlines()) <= 150


def test_the_result_stands_within_30_lines():
    assert "indistinguishable up to epsilon" in "\n".join(TEXT.splitlines()[:30])


def test_the_two_commands_stand_within_30_lines():
    assert {"make demo", "make test"} <= {
        line.partition("#")[0].strip()
        for block in blocks(README)
        for line in block.lines
        if line in TEXT.splitlines()[:30]
    }


def test_every_link_leads_somewhere():
    for target, anchor in links(README):
        path = ROOT / target if target else README
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), (target, anchor)


def test_public_names_are_sorted_and_exist():
    public = [n for n in latentdp.__all__ if not n.startswith("__")]
    assert all(hasattr(latentdp, name) for name in latentdp.__all__)
    assert public == sorted(public, key=lambda n: (not n.isupper(), n))


def test_the_changelog_names_the_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
