"""The reference holds what the program has: every option, name, reason, attribute and field."""

import json

import pytest
from latentdp._cli._app import make_app

import latentdp
from docs._generate.commands import command_pages, commands
from docs._generate.included import assets, included_pages
from docs._generate.tables import PLACE, TABLES, fill
from latentdp import errors
from latentdp.core.plugins import KINDS, names
from latentdp.core.plugins import load as plug_in
from latentdp.data.dicom.attributes import ACTIONS
from latentdp.data.dicom.refusals import REASONS
from latentdp.models.checkpoints import load, shipped
from latentdp.reports.answers_card import AnswersCard
from latentdp.reports.guarantee_words import NOT_COVERED
from tests.support.documents import DOCS, documents
from tests.support.places import SAMPLES

PROGRAM = commands()

REFERENCE = DOCS / "reference"


def page(name: str) -> str:
    """As it is built."""
    return fill((REFERENCE / f"{name}.md").read_text(encoding="utf-8"))


def test_every_command_that_help_shows_has_a_page():
    shown = {name.split()[1] for name in commands()}
    assert set(command_pages()) == shown
    assert all(f"({name}.md)" in page("commands/index") for name in shown)


@pytest.fixture(scope="module")
def made():
    """The pages of all commands, which take a while to be made."""
    return command_pages()


@pytest.mark.parametrize("name", PROGRAM)
def test_every_option_is_documented_where_its_command_is(name, made):
    command = PROGRAM[name]
    text = made[name.split()[1]]
    section = text.split(f"# {name}\n\n")[1].split("\n# ")[0].split("\n## ")[0]
    assert command.help in section
    for parameter in command.params:
        if "--help" in parameter.opts:
            continue
        row = next((r for r in section.splitlines() if shows(r, parameter)), "")
        assert parameter.help
        assert parameter.help.replace("\n", " ") in row, (name, parameter.opts)


def shows(row, parameter):
    """Whether the row of a table is a parameter's."""
    called = row.partition("`")[2].replace("`", " ").split(" ")[0]
    named = parameter.metavar or parameter.name.upper()
    return called in (*parameter.opts, named.split(" ")[0])


def test_help_of_the_program_is_what_the_pages_are_made_of(capsys, command):
    assert command("ledger", "--help") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "--cap EPSILON" in printed
    assert "`--cap EPSILON`" in command_pages()["ledger"]


def test_every_table_has_a_place_and_every_place_a_table():
    used = {
        name for path in documents() for name in PLACE.findall(path.read_text(encoding="utf-8"))
    }
    assert used == set(TABLES)


@pytest.mark.parametrize("kind", KINDS)
def test_every_plug_in_is_named(kind):
    text = page("mechanisms" if kind == "mechanisms" else "attacks")
    for name in names(kind):
        told = [m.name for m in plug_in(kind, name).metrics] if kind == "metrics" else [name]
        assert all(f"`{one}`" in text for one in told)


def test_every_mechanism_has_its_clip_noise_and_epsilon_in_the_table():
    table = page("mechanisms").split("\n## ")[0]
    assert all(f"| `{name}` |" in table for name in names("mechanisms"))


def test_every_preset_is_told_with_what_it_spends():
    text = page("presets")
    for name, preset in latentdp.PRESETS.items():
        assert f"| `{name}` | {preset.summary} | {preset.values['epsilon']:g} |" in text


def test_what_is_not_covered_stands_where_the_threats_do():
    for place in ("explanation/threat-model.md", "data-protection-officers.md"):
        text = fill((DOCS / place).read_text(encoding="utf-8"))
        assert all(f"- {line}\n" in text for line in NOT_COVERED)


def test_every_attribute_is_told_with_what_it_holds():
    rows = page("dicom").splitlines()
    for action in ACTIONS:
        row = next(r for r in rows if r.startswith(f"| {action.keyword} |"))
        assert (action.holds or "not written") in row
        assert not action.option or f"`--{action.option.replace('_', '-')}`" in row


def test_every_reason_is_told():
    text = page("quarantine")
    assert all(f"| `{reason}` | {meaning} |" in text for reason, meaning in REASONS.items())


def test_every_error_is_told_with_its_exit_code():
    text = page("exit-codes")
    for name in errors.__all__:
        if name != "LatentDPError":
            assert f"| {getattr(errors, name).exit_code} | `{name}` |" in text
    assert all(f"| {code} |" in text for code in (0, 1, 70, 130))


def test_all_weights_are_told_with_what_their_cards_say():
    text = page("weights/index") + fill((DOCS / "explanation/latent-space.md").read_text())
    pages = included_pages()
    for name in shipped():
        assert f"`{name}`" in text
        assert pages[f"reference/weights/{name}.md"].startswith(f"# {name}\n")
    for name in shipped("glow"):
        card = load(name).card
        assert f"| {card.images['train']:,} | {card.bits_per_dimension['val']:.3f} |" in text
        value, low, high = card.directions.probes.all.finding
        assert f"{value:.2f} ({low:.2f} to {high:.2f})" in text


def test_every_public_name_is_told():
    text = page("python")
    for name in latentdp.__all__:
        assert name.startswith("__") or f"latentdp.{name}" in text


def test_every_field_of_a_card_is_told_and_no_other(command, tmp_path):
    source, fields = SAMPLES / "clinic-b" / "IM0001", {"evaluation"}  # by `latentdp evaluate`
    told = {
        line.split("`")[1] for line in page("release-card").splitlines() if line.startswith("| `")
    }
    for number, more in enumerate([(), ("--keep-label-dims", 1)]):
        out = tmp_path / str(number)
        assert command("privatize", source, out, "--size", 64, "--candidates", 1, *more) == 0
        card = json.loads((out / "release.json").read_text(encoding="utf-8"))
        fields |= set(leaves(card, told))
    assert fields == told


def test_every_field_of_the_card_of_answers_is_told_and_no_other():
    lines = page("answers-card").splitlines()
    cells = [line.split("|")[1] for line in lines if line.startswith("| `")]
    told = [name for cell in cells for name in cell.split("`")[1::2]]
    assert sorted(told) == sorted(AnswersCard.__struct_fields__)


def leaves(value, stop, name=""):
    """Dotted names of what an object holds, down to the names in ``stop``."""
    for key, held in value.items():
        called = f"{name}.{key}" if name else key
        if called in stop or not isinstance(held, dict):
            yield called
        else:
            yield from leaves(held, stop, called)


def test_an_unknown_table_or_a_link_to_nowhere_is_an_error():
    with pytest.raises(KeyError):
        fill("{{ no such table }}")
    assert all(path.is_file() for path in assets().values())


def test_links_of_included_documents_lead_to_places_on_the_site():
    pages = included_pages()
    assert "](tutorial.md)" in pages["index.md"]
    assert "](../how-to/cluster.md)" in pages["results/a-million-radiographs.md"]
    assert "](a-million-radiographs.md)" in pages["results/measurements.md"]
    assert "](frontier.svg)" in pages["results/measurements.md"]


def test_a_command_that_is_hidden_has_no_page(monkeypatch):
    before, app = set(command_pages()), make_app()
    app.registered_commands[0].hidden = True
    monkeypatch.setattr("docs._generate.commands.make_app", lambda: app)
    assert before - set(command_pages()) == {"privatize"}
