"""Public pages are whole in every language: each message has its words, numbers their form."""

import json
import re
import shutil
import tomllib

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from latentdp import InputError
from latentdp.data.dicom.profile import Profile
from latentdp.privacy.guarantee import Guarantee, Unit
from latentdp.recipe import Recipe
from latentdp.release.verify import verify
from latentdp.reports.guarantee_words import EXACTLY_RELEASED, in_words, sentences
from latentdp.reports.language import ENGLISH, LANGUAGES, Language
from latentdp.reports.layout import Layout
from latentdp.reports.release_page import write_public_page
from latentdp.reports.warning_words import warnings
from tests.support.documents import ROOT
from tests.support.folders import go, picture_at, radiograph_at
from tests.support.html_page import Page

REPORTS = ROOT / "latentdp" / "reports"
OTHERS = [code for code in LANGUAGES if code != "en"]
KEYWORDS = {
    "say": None, "say_many": (1, 2), "message": None, "_": None, "gettext": None,
    "ngettext": (1, 2),
}  # fmt: skip
NAMES = re.compile(r"%\((\w+)\)s")
TAGS = re.compile(r"</?\w+>")


def messages() -> set:
    """All that the modules and the templates of reports say."""
    mappings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    found = extract_from_dir(
        str(REPORTS),
        method_map=[(m["pattern"], m["method"]) for m in mappings],
        options_map={
            m.pop("pattern"): {k: v for k, v in m.items() if k != "method"} for m in mappings
        },
        keywords=KEYWORDS,
    )
    return {message for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def said():
    return messages()


def catalog(code):
    with (REPORTS / "locale" / code / "LC_MESSAGES" / "latentdp.po").open("rb") as file:
        return read_po(file, locale=code)


def forms(value) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


@pytest.mark.parametrize("code", OTHERS)
def test_every_message_is_translated_and_no_other(code, said):
    assert len(said) > 250
    words = catalog(code)
    entries = {m.id: m for m in words if m.id}
    assert set(entries) == said
    for message in entries.values():
        assert not message.fuzzy
        assert all(forms(message.string)), message.id
        if message.pluralizable:
            assert len(message.string) == words.num_plurals, message.id


@pytest.mark.parametrize("code", OTHERS)
def test_translations_hold_the_same_values_tags_and_percent_signs(code):
    words = catalog(code)
    for message in words:
        for number, one in enumerate(forms(message.string)):
            original = forms(message.id)[-1 if number else 0]
            for kept in (NAMES, TAGS):
                assert sorted(kept.findall(one)) == sorted(kept.findall(original)), message.id
        if message.id:
            assert not list(message.check(words)), message.id


@pytest.mark.parametrize("code", LANGUAGES)
def test_numbers_have_the_form_of_the_language(code):
    language = Language(code)
    forms = {
        "en": ("30,805", "7.13", "8.82\xa0%"),
        "de": ("30.805", "7,13", "8,82\xa0%"),
        "fr": ("30\u202f805", "7,13", "8,82\xa0%"),
        "es": ("30.805", "7,13", "8,82\xa0%"),
    }
    assert (language.number(30805), language.number(7.121), language.share(0.08811)) == forms[code]
    assert language.share(0.99999999) == "100\xa0%"
    assert language.nats(None) == language.say("infinity")


def test_a_language_that_there_is_not_is_named_with_those_that_there_are(
    command, capsys, tmp_path
):
    with pytest.raises(InputError, match="de, fr, es"):
        Language("xx")
    picture_at(tmp_path / "in" / "0.png", 0)
    assert command("privatize", tmp_path / "in", tmp_path / "out", "--language", "la") == 2
    assert "'la'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_lower_rooms_say_is_unprotected_is_translated():
    everything = Profile(shift_dates=True, retain_characteristics=True, retain_device=True)
    recipe = Recipe.from_preset("balanced", label="response", unlabelled="unknown")
    named = {*everything.unprotected, *recipe.unprotected, *Layout.MIRROR.unprotected}
    assert named <= set(EXACTLY_RELEASED)


def _warnings(image, patient, language=ENGLISH):
    return warnings(image, patient, Layout.MIRROR, language=language)


@pytest.mark.parametrize("code", OTHERS)
def test_a_guarantee_says_the_same_numbers_in_every_language(code):
    image = Guarantee(epsilon=11.3, delta=1e-6, exact=False)
    patient = Guarantee(epsilon=22.6, delta=2e-6, exact=False, unit=Unit.PATIENT)
    kept = image.beside("3 of 4096 latent dimensions, passed on without noise")
    for one, other in [(image, patient), (kept, kept)]:
        for words in (sentences, _warnings):
            english, ours = words(one, other), words(one, other, Language(code))
            assert len(english) == len(ours)
            for line, said in zip(english, ours, strict=True):
                assert line != said
                assert digits(line) == digits(said)
    assert in_words(image) == str(image)


def digits(text: str) -> list[str]:
    """Numbers, without marks of thousands and decimals."""
    return re.findall(r"\d+(?:e-\d+)?", re.sub(r"(?<=\d)[.,\u202f](?=\d)", "", text))


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    place = tmp_path_factory.mktemp("languages")
    for number in range(2):
        picture_at(place / "in" / f"{number}.png", number)
    radiograph_at(place / "in" / "2.dcm", 2)
    go(place, language="de")
    return place / "out"


def test_a_page_is_in_the_language_that_was_asked_for_and_stays_so(released):
    page = (released / "release.html").read_text(encoding="utf-8")
    assert Page(released / "release.html").all("html") == [{"lang": "de"}]
    assert "Freigabe von 3 Thoraxaufnahmen" in page
    assert verify(released).ok, "verify reads the digest of the card in any language"
    assert write_public_page(released).read_text(encoding="utf-8") == page


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_stays_english_on_the_page_but_what_says_so(code, released, said):
    read = Page(write_public_page(released, code))
    assert read.all("html")[0]["lang"] == code
    marks = [t for t, a in read.tags if a.get("lang") == "en" and t not in ("html", "td")]
    caveats = json.loads((released / "release.json").read_text())["weights"]["caveats"]
    assert len(marks) == (0 if code == "en" else len(caveats)), "all else of today is known"
    text = " ".join(read.text.split())
    beginnings = {one.partition("%")[0] for message in said for one in forms(message)}
    english = {b for b in beginnings if len(b) > 15 and "<" not in b and b in text}
    assert bool(english) == (code == "en"), english


def test_what_a_card_says_otherwise_is_shown_as_english(released, tmp_path):
    copy = shutil.copytree(released, tmp_path / "copy")
    card = json.loads((copy / "release.json").read_text())
    card["warnings"].append("ODD: a warning of another version <b>")
    (copy / "release.json").write_text(json.dumps(card))
    page = write_public_page(copy, "fr").read_text(encoding="utf-8")
    assert '<span lang="en">ODD: a warning of another version &lt;b&gt;</span>' in page
