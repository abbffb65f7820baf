"""How much of a picture's layout the empirical tier can keep: what its preset is chosen by.

    python benchmarks/empirical.py DATA [--layouts 0 2 4] [--identity 32]
        [--identity-weights cxr-findings] [--finding-weights cxr-paediatric] [--split val]
        [--restarts 2] [--practice 400] [--taught 1500] [--seed 0] [--json FILE] [--picture FILE]

DATA is a folder with manifest.csv. Images of a split are released under their true labels by the
preset with so many directions of layout, and as before there were any: 1,024 directions of
identity redrawn and all else passed on. *Layout* is the correlation of 8 by 8 mean grey levels,
less those of an average original, with the source and with another patient's image of the same
label, source, view and sex; *SSIM* likewise, in the mean. Readers of findings (--finding-weights)
learn on originals and read released images (o/p), or the reverse (p/o). Attackers
(--identity-weights) look for the patient by another image, among impostors alike: the shipped
verifier, the same retrained on released images of other patients, all of them together, by one
output and by all outputs of a patient but one. *Patient first*: in a gallery of all originals but
the own one. *Own original first*: whoever holds the very originals re-encodes what was released.
95 % intervals over patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from _correlation import row_correlations
from _harness import Report, parse, parser, progress
from _readers import taught
from _results import Column, Interval, Value
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from latentdp import Privatizer, Recipe
from latentdp.core.arrays import Images, Labels
from latentdp.core.filesystem import whole
from latentdp.data.cohort import Cohort
from latentdp.data.preprocess import shrink
from latentdp.evaluation.run_attacks import examine
from latentdp.evaluation.threat_model import Effort, PairedImages, ThreatModel
from latentdp.metrics.bootstrap import Resamples, auc, estimate, mean
from latentdp.metrics.definitions.identification import P_AT_1, RANK_1
from latentdp.metrics.definitions.verification import AUC, AUC_MAX
from latentdp.metrics.metric import Metric
from latentdp.models.flow.flow import Flow, load_flow
from latentdp.models.networks.finding_classifier import FindingClassifier
from latentdp.models.training.training_data import read_cohort
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import below, permutation
from latentdp.reports.results import Impostors, Outcome

ORIGINALS = "originals"
BEFORE = 1024  # directions of identity that were redrawn before layout was kept
OF_A_PATIENT = 4  # images that attackers practise on, at most
ATTACKS = ("frozen", "adaptive", "retrieval", "canonical")
COARSE = 8  # parts of a picture on a side
TOGETHER = 256  # images that are released at a time
COLUMNS = (
    Column("kept", "{release}"),
    Column("layout, own / stranger's", "{layout.value:.2f} / {layout_of_stranger.value:.2f}"),
    Column("SSIM, own / stranger's", "{ssim:.2f} / {ssim_of_stranger:.2f}"),
    Column("o/p", "{op:.3f}"),
    Column("p/o", "{po:.3f}"),
    Column("frozen verifier", "{frozen:.3f}"),
    Column("adaptive, largest", "{adaptive:.3f}"),
    Column("all outputs of a patient", "{joint:.3f}"),
    Column("patient first", "{first:.3f}"),
    Column("own original first", "{own:.3f}"),
)


@dataclass(frozen=True)
class Row:
    """What one release keeps, and what attackers find; what was not asked is None.

    Attributes:
        release: What is kept of the latent.
        layout, layout_of_stranger: Correlation with the source, and with a stranger alike.
        ssim, ssim_of_stranger: Likewise.
        op, po: Mean AUC of findings, taught on originals and on released images.
        frozen: AUC of the shipped verifier against impostors alike, another image at hand.
        adaptive: The same of the best retrained one.
        joint: The same by all outputs of a patient but one.
        first: Share of images whose patient is named first, by another image.
        own: Share of images whose own original is named first.
    """

    release: str
    layout: Interval | None
    layout_of_stranger: Interval | None
    ssim: float
    ssim_of_stranger: float
    op: Interval | None
    po: Interval | None
    frozen: Interval | None
    adaptive: Interval | None
    joint: Interval | None
    first: Interval | None
    own: Interval | None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table; writes JSON and picture."""
    options = parse(_parser(), arguments)
    people = People(options)
    findings = Findings(options)
    facts: dict[str, Value] = {
        "people: images": len(people.target),
        "people: patients with several": int((np.bincount(people.target.patients) > 1).sum()),
        "people: images to practise on": len(people.practice),
        "findings: images": len(findings.target),
        "findings: images to learn on": len(findings.practice),
        "split": options.split,
    }
    rows: list[Row] = []
    intro = ", ".join(f"{name} {value}" for name, value in facts.items())
    with Report(options, COLUMNS, intro=intro, facts=facts) as report:
        for name, recipe in recipes(options.layouts, options.identity):
            rows.append(row(name, recipe, people, findings))
            report.add(rows[-1])
    if options.picture:
        picture(rows, options.picture)


def recipes(layouts: Sequence[int], identity: int) -> list[tuple[str, Recipe | None]]:
    """What is compared, by name, originals first; labels are public as in the preset."""
    preset = Recipe.from_preset("empirical", resample_identity=identity)
    before = replace(preset, resample_identity=BEFORE, keep_layout=None)
    return [
        (ORIGINALS, None),
        ("all but the coarsest level", before),
        *((f"{count} of layout", replace(preset, keep_layout=count)) for count in layouts),
    ]


def row(name: str, recipe: Recipe | None, people: People, findings: Findings) -> Row:
    """Of one release; None for originals."""
    outcomes, images = people.attacked(recipe)
    layout, stranger = people.layout(images)
    op, po = findings.read(recipe)
    alike = partial(_found, outcomes, impostors=Impostors.ALIKE)
    return Row(
        release=name,
        layout=layout,
        layout_of_stranger=stranger,
        ssim=people.ssim(images, people.target.images),
        ssim_of_stranger=people.ssim(images, people.target.images[people.strangers]),
        op=op,
        po=po,
        frozen=alike("frozen", AUC, "private against real"),
        adaptive=alike("adaptive", AUC_MAX, "private against real"),
        joint=alike("adaptive", AUC_MAX, "all outputs"),
        first=_found(outcomes, "retrieval", P_AT_1),
        own=_found(outcomes, "canonical", RANK_1),
    )


def _found(
    outcomes: Sequence[Outcome],
    attack: str,
    metric: Metric,
    setting: str = "",
    impostors: Impostors | None = None,
) -> Interval | None:
    """The largest of an attack's outcomes of a kind."""
    found = [
        Interval(o.value, o.low, o.high)
        for o in outcomes
        if o.attack == attack and o.metric == metric and o.setting.startswith(setting)
        if impostors in (None, o.impostors) and o.value is not None
    ]
    return max(found, key=lambda o: o.value, default=None)


class Ground:
    """Originals of a split, and others to practise or learn on.

    Args:
        flow: That releases them.
        options: Of the command.
    """

    def __init__(self, flow: Flow, options: argparse.Namespace) -> None:
        self.flow, self.options = flow, options
        self.target = read_cohort(options.data, options.split, flow)
        self.practice = read_cohort(options.data, "train", flow)

    def released(self, recipe: Recipe | None, cohort: Cohort, seed: int) -> tuple[Images, Labels]:
        """Images ``(n, h, w)`` and the labels that go with them."""
        if recipe is None:
            return cohort.images, cohort.labels
        maker = self.maker(recipe).with_noise(SeededNoise(2 * self.options.seed + seed))
        parts = [
            maker(cohort.images[i : i + TOGETHER], labels=cohort.labels[i : i + TOGETHER])
            for i in range(0, len(cohort), TOGETHER)
        ]
        images, labels = ([getattr(part, name) for part in parts] for name in ("images", "labels"))
        return np.concatenate(images), np.concatenate(labels)

    def maker(self, recipe: Recipe) -> Privatizer:
        """It on this flow."""
        return Privatizer(self.flow, replace(recipe, weights=self.flow.name))


class People(Ground):
    """Where people have several images."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(load_flow(options.identity_weights), options)
        noise = SeededNoise(options.seed)
        self.practice = self.practice.take(_several(self.practice, options.practice, noise))
        self.strangers = _strangers(self.target, noise)
        self.average = _coarse(self.practice.images).mean(axis=0)
        self.resamples = Resamples(self.target.patients, 500, options.seed)

    def attacked(self, recipe: Recipe | None) -> tuple[Sequence[Outcome], Images]:
        """What attackers find, and the released images."""
        target, practice = (
            PairedImages(cohort=cohort, private=images[None], labels=labels[None])
            for seed, cohort in enumerate((self.target, self.practice))
            for images, labels in [self.released(recipe, cohort, seed)]
        )
        scene = ThreatModel(
            target=target,
            practice=practice,
            privatizer=None if recipe is None else self.maker(recipe),
            effort=Effort(restarts=self.options.restarts),
            seed=self.options.seed,
            verifier=self.options.verifier,
            members=True,
        )
        attacks = ["frozen"] if recipe is None else ATTACKS  # originals are known to be known
        found = examine(scene, progress(), attacks=attacks, utilities=())
        return found.outcomes, target.private[0]

    def layout(self, images: Images) -> tuple[Interval | None, Interval | None]:
        """Mean correlation with the source and with a stranger."""
        there, originals = (_coarse(x) - self.average for x in (images, self.target.images))
        weights = self.resamples.images(np.ones(len(images), dtype=np.bool_))
        own, stranger = (
            Interval.of(estimate(mean(row_correlations(there, originals[rows]), weights)))
            for rows in (np.arange(len(images)), self.strangers)
        )
        return own, stranger

    def ssim(self, images: Images, others: Images) -> float:
        """Mean of all pairs."""
        pairs = zip(images, others, strict=True)
        return float(np.mean([structural_similarity(a, b, data_range=1.0) for a, b in pairs]))


class Findings(Ground):
    """Where findings are learnt."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(load_flow(options.finding_weights), options)
        order = permutation(SeededNoise(options.seed), len(self.practice))
        self.practice = self.practice.take(order[: options.taught])
        self.weights = Resamples(self.target.patients, 500, options.seed).images(
            np.ones(len(self.target), dtype=np.bool_)
        )
        self.of_originals = self._taught(self.practice.images, self.practice.labels)

    def read(self, recipe: Recipe | None) -> tuple[Interval | None, Interval | None]:
        """Mean AUC of o/p, and of p/o."""
        private, _ = self.released(recipe, self.target, 0)
        learner = self.of_originals
        if recipe is not None:
            learner = self._taught(*self.released(recipe, self.practice, 1))
        return self._auc(self.of_originals, private), self._auc(learner, self.target.images)

    def _taught(self, images: Images, labels: Labels) -> FindingClassifier:
        return taught(images, labels, self.options.seed)

    def _auc(self, reader: FindingClassifier, images: Images) -> Interval | None:
        odds, truth = reader.log_odds(images), self.target.labels
        each = [auc(odds[:, c], truth == c, self.weights) for c in range(odds.shape[1])]
        return Interval.of(estimate(np.mean(each, axis=0)))


def _several(cohort: Cohort, patients: int, noise: SeededNoise) -> NDArray[np.int64]:
    """Rows of so many patients who have several images, of each a few at most."""
    counts = np.bincount(cohort.patients)
    several = np.flatnonzero(counts > 1)
    chosen = several[permutation(noise, len(several))[:patients]]
    rows = [np.flatnonzero(cohort.patients == patient)[:OF_A_PATIENT] for patient in chosen]
    return np.sort(np.concatenate(rows))


def _strangers(cohort: Cohort, noise: SeededNoise) -> NDArray[np.int64]:
    """For each image one of another patient: of the same label and alike, or alike, or any."""
    cells, chosen = cohort.cells, np.empty(len(cohort), dtype=np.int64)
    for i, patient in enumerate(cohort.patients):
        others = cohort.patients != patient
        alike = others & (cells == cells[i])
        same = alike & (cohort.labels == cohort.labels[i])
        rows = np.flatnonzero(next((x for x in (same, alike) if x.any()), others))
        chosen[i] = rows[int(below(noise, len(rows), 1)[0])]
    return chosen


def _coarse(images: Images) -> NDArray[np.float64]:
    return np.asarray(shrink(images, COARSE), dtype=np.float64).reshape(len(images), -1)


def picture(rows: Sequence[Row], path: Path) -> None:
    """Layout that is kept against the AUC of attackers who hold another image."""
    figure, axis = plt.subplots(figsize=(7, 4.2))
    curve = [r for r in rows if r.release.endswith("of layout")]
    before = [r for r in rows if r not in curve and r.release != ORIGINALS]
    for field, name in (("adaptive", "one output"), ("joint", "all outputs of a patient")):
        for chosen, style in ((curve, "o-"), (before, "s")):
            known = [(getattr(r, field), r) for r in chosen if getattr(r, field) and r.layout]
            x, y = [a.value for a, _ in known], [r.layout.value for _, r in known if r.layout]
            colour = "C0" if field == "adaptive" else "C1"
            label = name if chosen is curve else None
            axis.plot(x, y, style, c=colour, label=label)
            for a, b, (_, r) in zip(x, y, known, strict=True):
                words = r.release.removesuffix(" of layout") if chosen is curve else "before"
                axis.annotate(words, (a, b), (5, -11), textcoords="offset points", fontsize=8)
    axis.axvline(0.6, ls=":", c="0.5")
    axis.set(
        xlabel="AUC of the best adapted verifier that holds another image (0.5 is guessing)",
        ylabel="layout: correlation with the source",
    )
    axis.legend(loc="upper left", fontsize=8)
    figure.tight_layout()
    plt.rcParams["svg.hashsalt"] = "latentdp"
    with whole(path) as temporary:
        form = path.suffix.removeprefix(".") or "svg"
        figure.savefig(temporary, format=form, metadata={"Date": None} if form == "svg" else None)
    plt.close(figure)


def _parser() -> argparse.ArgumentParser:
    options = parser("empirical", __doc__, data=True, seed=True)
    options.add_argument("--layouts", nargs="+", type=int, default=[0, 2, 4])
    options.add_argument("--identity", type=int, default=32, help="directions kept apart from")
    options.add_argument("--identity-weights", default="cxr-findings")
    options.add_argument("--finding-weights", default="cxr-paediatric")
    options.add_argument("--verifier", default="", help="that attackers start from")
    options.add_argument("--split", choices=("val", "test"), default="val")
    options.add_argument("--restarts", type=int, default=2, help="of retrained verifiers")
    options.add_argument("--practice", type=int, default=400, help="patients to practise on")
    options.add_argument("--taught", type=int, default=1500, help="images that readers learn on")
    options.add_argument("--picture", type=Path)
    return options


if __name__ == "__main__":
    main()
