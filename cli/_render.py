"""What the commands print: short tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from latentdp.core.documents import to_json
from latentdp.core.progress import CountCallback
from latentdp.core.text import one_line
from latentdp.privacy.guarantee import Guarantee
from latentdp.privacy.randomized_response import RandomisedResponse
from latentdp.privacy.rounding import at_most, printed
from latentdp.privatizer import Privatizer
from latentdp.reports.guarantee_words import ceilings, meaning, statement
from latentdp.reports.layout import Layout
from latentdp.reports.warning_words import warnings

__all__ = ["guarantee_table", "print_json", "progress", "short", "table", "training_progress"]


def print_json(data: object) -> None:
    """Prints ``data``, documents among it, as JSON on standard output."""
    sys.stdout.write(json.dumps(to_json(data), indent=2) + "\n")


WIDEST = 48  # characters of what stands on the left; what stands on the right needs room


def table(title: str, rows: list[tuple[str, str]]) -> None:
    """Prints two columns; wraps instead of cutting off."""
    columns = Table(title=title, box=box.SIMPLE, show_header=False, title_justify="left")
    longest = max((len(name) for name, _ in rows), default=0)
    columns.add_column(no_wrap=longest <= WIDEST, max_width=WIDEST)
    columns.add_column(overflow="fold")
    for row in rows:
        columns.add_row(*map(one_line, row))
    Console(highlight=False, markup=False).print(columns)


def guarantee_table(
    privatizer: Privatizer, image: Guarantee, patient: Guarantee, layout: Layout = Layout.FLAT
) -> list[tuple[str, str]]:
    """Rows that say what is guaranteed. A per-element number never stands alone.

    Args:
        privatizer: What would be done to each image.
        image: The guarantee of an image, with what the layout passes on.
        patient: That of the patient of whom most is released.
        layout: How images lie.
    """
    budget, more = privatizer.recipe.patient_budget, privatizer.warnings
    told = warnings(image, patient, layout, more, budget=budget)
    rows = [("WARNING", line) for line in told]
    rows += [("guarantee", line) for line in statement(image, patient)]
    rows += [("means", line.removeprefix("In words: ")) for line in meaning(patient)]
    alone = "of the noised part alone: " if image.unprotected else ""
    approximate = privatizer.approximate.noised_part
    if approximate.epsilon < image.noised_part.epsilon:  # else it says the same at a price
        rows.append(("also", f"{alone}{approximate}"))
    rows += [("implies", line) for line in ceilings(image, patient)]
    if image.epsilon == 0:
        rows.append(("note", "nothing of an input enters its image; --labels would add a label"))
    for block in privatizer.plan.blocks:
        cost = {"resample": "epsilon 0", "keep": "UNPROTECTED"}.get(str(block.action), "")
        if block.mechanism is not None:
            each = float(block.mechanism.describe().get("epsilon_per_element", 0.0))
            cost = f"epsilon {printed(block.mechanism.guarantee.epsilon)}"
            cost += f" ({block.size} x {printed(each, 4)})" if each else ""
        rows.append((f"{block.size} latent dims", f"{block.action}: {cost}"))
    rows.append(("label", _label(privatizer)))
    if privatizer.candidates > 1:
        words = f"one of {privatizer.candidates} that are drawn"
        rows.append(("image", f"{words}, chosen by a public critic, epsilon 0"))
    if privatizer.octaves:
        words = f"detail up to {privatizer.detail_size} drawn at random, epsilon 0"
        rows.append(("size", f"{privatizer.size} pixels; {words}"))
    return rows


def short(value: object) -> str:
    """A value of a card as text."""
    if isinstance(value, dict):
        return "; ".join(f"{k} {short(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "\n".join(short(v) for v in value)
    return "-" if value != value else str(value)  # NaN: not measured


class _Rate(ProgressColumn):
    """Files per second, of late."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


@contextmanager
def progress(title: str, *, shown: bool) -> Iterator[CountCallback]:
    """A progress bar on standard error, where that is a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        disable=not (shown and console.is_terminal),
    ) as bar:
        task = bar.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance


@contextmanager
def share_progress(title: str, *, shown: bool) -> Iterator[Callable[[float, str], None]]:
    """A bar over a share of work with words; without a terminal, a line for each new word."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task(title, total=1.0)
        last = ""

        def tell(share: float, words: str) -> None:
            nonlocal last
            bar.update(task, completed=share, description=words or title)
            if shown and not console.is_terminal and words != last:
                console.print(f"{share:.1%} {words}", soft_wrap=True)
            last = words

        yield tell


@contextmanager
def training_progress(*, shown: bool) -> Iterator[Callable[[dict[str, float]], None]]:
    """A bar with the newest measurements; where standard error is no terminal, a line for each."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not (shown and console.is_terminal)) as bar:
        task = bar.add_task("training", total=1.0)

        def show(now: dict[str, float]) -> None:
            line = f"{now['images']:,} images, {now['rate']:.0f}/s, train {now['loss']:.3f}"
            line += f", val {now['val']:.3f} bits/dim" if "val" in now else ""
            bar.update(task, completed=now["progress"], description=line)
            if shown and not console.is_terminal:
                console.print(f"{now['progress']:.1%} {line}", soft_wrap=True)

        yield show


def _label(privatizer: Privatizer) -> str:
    plan = privatizer.plan
    if plan.response is not None:
        epsilon = plan.response.guarantee.epsilon
        said = f"randomised response: epsilon {printed(epsilon)}"
        if isinstance(plan.response, RandomisedResponse):
            return f"{said}, {_true(plan.response)}"
        each = (f"{part.name} {_true(part.response)}" for part in plan.response.parts)
        return f"{said}, evenly: {', '.join(each)}{_withheld(privatizer)}"
    if plan.label != "public":
        return "not used, not released"
    names = ", ".join(privatizer.recipe.release_findings)
    exactly = "released exactly: UNPROTECTED"
    return f"{exactly}: {names}{_withheld(privatizer)}" if names else exactly


def _true(response: RandomisedResponse) -> str:
    return f"true with {at_most(100 * response.threshold / 2**64, 1)} %"


def _withheld(privatizer: Privatizer) -> str:
    """What the weights know, and is not released."""
    released = privatizer.recipe.release_findings
    rest = [one.name for one in privatizer.flow.attributes if one.name not in released]
    return f"; not used, not released: {', '.join(rest)}" if rest else ""
