"""Tables of what the program knows of itself; a page has one where it says ``{{ name }}``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from signal import SIGTERM
from types import MappingProxyType
from typing import Any

from latentdp._cli._app import INTERNAL, INTERRUPTED

from latentdp import errors
from latentdp.core import plugins
from latentdp.data.dicom.attributes import ACTIONS
from latentdp.data.dicom.refusals import REASONS
from latentdp.models.checkpoints import load, shipped
from latentdp.privacy.rounding import printed
from latentdp.recipe import ALL, PRESETS, Recipe
from latentdp.release.tasks import LEFT_BY_SYSTEM, LOST, NON_FINITE, NOT_A_FILE, ODD
from latentdp.reports.guarantee_words import NOT_COVERED
from latentdp.synthesis.cohort import CHANGED, NO_PATIENT

from .api import public_names
from .commands import commands_table
from .promises import promises_text

__all__ = ["TABLES", "fill"]

PLACE = re.compile(r"^\{\{ (.+) \}\}$", re.MULTILINE)


def fill(markdown: str) -> str:
    """A page with every table where its name stands.

    Raises:
        KeyError: No table has that name.
    """
    return PLACE.sub(lambda match: TABLES[match[1]]().rstrip("\n"), markdown)


def presets() -> str:
    """What each preset does, and what it spends if nothing else is asked for."""
    rows = [(f"`{name}`", p.summary, printed(p.values["epsilon"])) for name, p in PRESETS.items()]
    return _table(("preset", "what it does", "default epsilon"), rows)


def preset_values() -> str:
    """What each preset sets of a recipe; an empty cell is the recipe's own default."""
    defaults = {f.name: f.default for f in fields(Recipe) if f.default is not MISSING}
    names = sorted({name for preset in PRESETS.values() for name in preset.values})

    def cell(values: Mapping[str, Any], name: str) -> str:
        value = values.get(name, defaults.get(name))
        return "all" if name == "directions" and value == ALL else f"{value}"

    rows = [
        (f"`{preset}`", *(cell(p.values, name) for name in names)) for preset, p in PRESETS.items()
    ]
    return _table(("preset", *(f"`{name}`" for name in names)), rows)


def not_covered() -> str:
    """What no guarantee covers, as on every card."""
    return "".join(f"- {line}\n" for line in NOT_COVERED)


def mechanisms() -> str:
    """A section for each mechanism: what its module says of it, and its parameters."""
    return "".join(
        f"## `{name}`\n\n{inspect.getdoc(plugins.load('mechanisms', name))}\n\n"
        for name in plugins.names("mechanisms")
    )


def attacks() -> str:
    """What each attack of an evaluation does."""
    titles = [(n, plugins.load("attacks", n).attack.title) for n in plugins.names("attacks")]
    return _table(("attack", "what the attacker does"), [(f"`{n}`", t) for n, t in titles])


def measures() -> str:
    """What an evaluation measures of use."""
    titles = [(n, plugins.load("utility", n).utility.title) for n in plugins.names("utility")]
    return _table(("measure", "what it says"), [(f"`{n}`", t) for n, t in titles])


def metrics() -> str:
    """What each number of an evaluation says, and which way is better for whom it rates."""
    rows = [
        (f"`{m.name}`", m.title, m.meaning, f"{m.goal}")
        for name in plugins.names("metrics")
        for m in plugins.load("metrics", name).metrics
    ]
    return _table(("number", "on a page", "what it says", "better is"), rows)


def methods() -> str:
    """What a comparison puts beside each other, by the file that defines it."""
    modules = [(n, plugins.load("methods", n)) for n in plugins.names("methods")]
    rows = [
        (f"`{n}`", getattr(m, "group", "rival"), str(inspect.getdoc(m)).partition("\n\n")[0])
        for n, m in modules
    ]
    return _table(("file", "group", "what it is"), rows)


def synthesis_methods() -> str:
    """What a generator may be learnt by."""
    kind = "synthesis methods"
    modules = [(n, plugins.load(kind, n).method) for n in plugins.names(kind)]
    rows = [(f"`{n}`", method.title, method.source) for n, method in modules]
    return _table(("method", "what it learns", "from"), rows)


def aggregators() -> str:
    """How votes may be answered."""
    modules = [
        (n, plugins.load("aggregators", n).aggregator) for n in plugins.names("aggregators")
    ]
    rows = [(f"`{n}`", one.title, one.source) for n, one in modules]
    return _table(("aggregator", "what it does", "from"), rows)


def voters() -> str:
    """Who may vote."""
    modules = [(n, plugins.load("voters", n).voters) for n in plugins.names("voters")]
    rows = [(f"`{n}`", one.title, one.source) for n, one in modules]
    return _table(("method", "who votes", "from"), rows)


def training_methods() -> str:
    """What a classifier may be learnt by."""
    kind = "training methods"
    modules = [(n, plugins.load(kind, n).method) for n in plugins.names(kind)]
    rows = [(f"`{n}`", method.title, method.source) for n, method in modules]
    return _table(("method", "what it learns", "from"), rows)


def sharing_attacks() -> str:
    """What each attack on what a site shares does."""
    kind = "sharing attacks"
    found = [(n, plugins.load(kind, n).attack) for n in plugins.names(kind)]
    rows = [(f"`{n}`", attack.title, attack.family) for n, attack in found]
    return _table(("attack", "what it does", "family of its readers"), rows)


def attributes() -> str:
    """Every attribute that an output may hold."""
    rows = []
    for a in ACTIONS:
        option = f"`--{a.option.replace('_', '-')}`: {a.instead or 'not written'}"
        cells = (a.keyword, a.holds or "not written", option if a.option else "")
        rows.append((*cells, ", ".join(a.kinds)))
    return _table(("attribute", "holds", "with an option", "in"), rows)


def reasons() -> str:
    """Why a file may be kept back."""
    of_runs = (LOST, NON_FINITE, NOT_A_FILE, LEFT_BY_SYSTEM, ODD, CHANGED, NO_PATIENT)
    others = {refusal.reason: refusal.message for refusal in of_runs}
    meanings = sorted({**REASONS, **others}.items())
    return _table(("reason", "meaning"), [(f"`{reason}`", text) for reason, text in meanings])


def weights() -> str:
    """The flows that are shipped, and what was measured of them."""
    rows = []
    for name in sorted(shipped("glow")):
        card = load(name).card
        bits, near = card.bits_per_dimension, card.memorisation
        cells = (
            ", ".join(card.class_counts_train or card.present_in_training),
            f"{card.images['train']:,}",
            f"{bits['val']:.3f}",
            f"{bits['test']:.3f}",
            f"{card.round_trip_error:.0e}",
            f"{near.sample_median:.1f} / {near.val_median:.1f}",
        )
        rows.append((_card_link(name), *cells))
    head = (
        "weights",
        "classes or findings",
        "training images",
        "bits/dim val",
        "test",
        "round-trip error",
    )
    more = ("round-trip error", "nearest training image: samples / new patients")
    return _table((*head, *more), rows)


def verifiers() -> str:
    """The attackers' networks that are shipped, and how well they tell patients apart."""
    rows = []
    for name in sorted(shipped("embedding")):
        test = load(name).card.verification["test"]
        measured = (test.any.auc, test.hard.auc, test.hard.eer)
        cells = [
            f"{value:.3f} ({low:.3f}-{high:.3f})"
            for value, low, high in (*measured, test.first, test.precision)
        ]
        rows.append((_card_link(name), f"{test.patients:,}", *cells))
    head = ("weights", "test patients", "AUC, any impostors", "AUC, hard impostors", "EER, hard")
    return _table((*head, "P@1", "mAP@R"), rows)


def directions() -> str:
    """How much of finding and identity the first k public directions carry, without noise."""
    probes = {name: load(name).card.directions.probes for name in sorted(shipped("glow"))}
    sizes = probes[min(probes)].sizes
    rows = []
    for k in [*(k for k in (1, 2, 4, 8, 16, 32, 64) if k in sizes), "all"]:
        cells = []
        for of_weights in probes.values():
            measured = of_weights.all
            if k != "all":
                measured = of_weights.directions[of_weights.sizes.index(k)]
            for value, low, high in (measured.finding, measured.identity):
                cells.append(f"{value:.2f} ({low:.2f} to {high:.2f})")
        rows.append((str(k), *cells))
    head = [cell for name in probes for cell in (f"`{name}`: finding", "identity")]
    return _table(("k", *head), rows)


def exit_codes() -> str:
    """What the command's exit code says."""
    rows = [
        (0, "", "all done"),
        (1, "", "some files were quarantined, or a claim that was checked does not hold"),
        (INTERNAL, "", "an error of ours; finished files are safe"),
        (INTERRUPTED, "", "interrupted; the same command goes on"),
        (128 + SIGTERM, "", "stopped by SIGTERM (128 and its number); the same command goes on"),
    ]
    for name in errors.__all__:
        error = getattr(errors, name)
        if error is not errors.LatentDPError:
            rows.append((error.exit_code, f"`{name}`", _first_paragraph(error)))
    return _table(
        ("code", "error in Python", "meaning"), [(f"{c}", n, m) for c, n, m in sorted(rows)]
    )


def _card_link(name: str) -> str:
    return f"[`{name}`]({name}.md)"


def _first_paragraph(thing: Any) -> str:
    return str(inspect.getdoc(thing)).partition("\n\n")[0].replace("\n", " ")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |\n"

    return line(head) + f"|{'---|' * len(head)}\n" + "".join(line(row) for row in rows)


TABLES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "aggregators": aggregators,
        "attacks": attacks,
        "attributes": attributes,
        "commands": commands_table,
        "directions": directions,
        "exit codes": exit_codes,
        "measures": measures,
        "mechanisms": mechanisms,
        "methods": methods,
        "sharing attacks": sharing_attacks,
        "synthesis methods": synthesis_methods,
        "training methods": training_methods,
        "metrics": metrics,
        "not covered": not_covered,
        "preset values": preset_values,
        "presets": presets,
        "promises": promises_text,
        "public names": public_names,
        "reasons": reasons,
        "verifiers": verifiers,
        "voters": voters,
        "weights": weights,
    }
)
