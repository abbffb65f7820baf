"""No command prints or writes an epsilon or a ceiling below the true one, in any place."""

import contextlib
import io
import json
import math
import re
from collections.abc import Iterator

import pydicom
import pytest

from latentdp.privacy.guarantee import Guarantee
from tests.support.html_page import Page
from tests.support.places import SAMPLES

AWKWARD = {
    "balanced": ("--epsilon", "8.0", "--labels", "labels.csv"),
    "cadp": ("--epsilon", "1234567"),
    "dp-glow": (),
}
NUMBER = r"(\d[\d.,]*(?:e[+-]\d+)?)"
NAMES = r"epsilon(?: of (?:an|each) image| of a patient)?(?:, at most)?:?"
EPSILON = re.compile(rf"{NAMES}\s*{NUMBER}", re.IGNORECASE)
AUC = re.compile(rf"AUC at most {NUMBER}")
SHARE = re.compile(rf"images: at most {NUMBER} %")


class Told:
    """All that the commands print and write about one release, and what is true of it."""

    def __init__(self, texts: dict[str, str], card: dict, ledger: dict, charge: float) -> None:
        self.texts, self.card = texts, card
        told = card["guarantee"]
        self.true = {
            0.0,
            charge,
            card["recipe"]["epsilon"],
            told["image"]["epsilon"],
            told["image_approximate"]["epsilon"],
            told["patient"]["epsilon"],
            *(account["spent"] for account in ledger["by_patient"].values()),
            *_epsilons(card["plan"]),
        }


def _epsilons(part) -> Iterator[float]:
    """Every epsilon on a part of a card."""
    for key, value in part.items() if isinstance(part, dict) else ():
        if isinstance(value, (dict, list)):
            for each in value if isinstance(value, list) else [value]:
                yield from _epsilons(each)
        elif key.startswith("epsilon") and value is not None:
            yield value


@pytest.fixture(scope="module", params=AWKWARD)
def told(request, tmp_path_factory, command, tiny_weights) -> Told:
    place = tmp_path_factory.mktemp("claims")
    how = ("--preset", request.param, *AWKWARD[request.param], "--weights", tiny_weights)
    into = (SAMPLES, place / "out", "--vault", place / "vault")
    printed = {}

    def run(*arguments):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert command(*arguments) in (0, 1)
        return out.getvalue()

    files = [path.relative_to(SAMPLES) for path in SAMPLES.glob("clinic-*/*")]
    (place / "labels.csv").write_text("file,label\n" + "".join(f"{f},a\n" for f in files))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("COLUMNS", "400")
        planned = json.loads(run("privatize", *into, *how, "--dry-run", "--json"))
        printed["explain"] = run("explain", SAMPLES, *how)
        printed["dry run"] = run("privatize", *into, *how, "--dry-run")
        printed["privatize"] = run("privatize", *into, *how)
        printed["verify"] = run("verify", place / "out")
        printed["ledger"] = run("ledger", place / "vault", "--patients")
        ledger = json.loads(run("ledger", place / "vault", "--patients", "--json"))
    for page in (*place.glob("*/*.html"),):
        printed[page.name] = Page(page).text
    for number, path in enumerate(place.rglob("*.dcm")):
        printed[f"header {number}"] = str(pydicom.dcmread(path, stop_before_pixels=True))
    card = json.loads((place / "out" / "release.json").read_text())
    printed["card"] = json.dumps([card["guarantee"]["statement"], card["warnings"]])
    return Told(printed, card, ledger, planned["epsilon_to_charge_now"])


def numbers(pattern: re.Pattern[str], text: str) -> list[float]:
    """What a reader finds."""
    return [float(number.rstrip(".,").replace(",", "")) for number in pattern.findall(text)]


def test_an_epsilon_is_never_printed_below_the_true_one(told):
    for where, text in told.texts.items():
        shown = numbers(EPSILON, text)
        assert shown or where.startswith("header") or where == "review.html", where
        for number in shown:
            nearest = min(told.true, key=lambda true: abs(true - number))
            assert nearest <= number <= nearest * 1.01, (where, number, nearest)


def test_a_ceiling_is_never_printed_below_the_true_one(told):
    image = told.card["guarantee"]["image"]
    for where in ("explain", "dry run", "privatize"):
        for auc in numbers(AUC, told.texts[where]):
            assert image["verification_auc_at_most"] <= auc
        for share in numbers(SHARE, told.texts[where]):
            assert 100 * image["top1_at_most"]["rate"] <= share


def test_the_odds_on_the_page_are_not_below_exp_epsilon(told):
    (odds,) = re.findall(r"by more than a factor of (10\^)?([\d,.]+)", told.texts["release.html"])
    power, number = odds[0], float(odds[1].rstrip(".,").replace(",", ""))
    logarithm = number * math.log(10) if power else math.log(number)
    assert logarithm >= told.card["guarantee"]["image"]["epsilon"]
    assert Guarantee(epsilon=logarithm).epsilon < told.card["guarantee"]["image"]["epsilon"] + 3
