"""Linking files without looking at a pixel: by name, order, size, time or header.

Every fact of a released file is held against every fact of the original files. Numbers, and texts
by their alphabetical order, may be sorted alike or in reverse; texts may share a substring, with
the original text or with its digest, which is no secret. Whether a match is more than luck is a
permutation test: of all ways to pair the files, how many match as well (Fisher 1935)? Draws stop
early where luck will do (Besag and Clifford 1991).

What a card declares of each file (its kind, its marks, a released label) shows in many places: in
the size, in every element that one kind has. What tells no more than that, by the same test within
files that are declared alike, is one result together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from msgspec import UNSET, structs
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.feature_extraction.text import CountVectorizer

from latentdp.core.progress import ProgressCallback
from latentdp.evaluation.attacks.base import Attack
from latentdp.evaluation.threat_model import FileFacts, ThreatModel
from latentdp.metrics.definitions.identification import RANK_1
from latentdp.metrics.linkage import matched
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import orders
from latentdp.reports.attack_kinds import AttackKind
from latentdp.reports.result_detail import Detail
from latentdp.reports.results import Outcome

__all__ = ["ALARM", "SideChannels", "attack"]

Matrix = NDArray[np.float32]  # exact for ranks with halves and for lengths, up to 8 million
Index = NDArray[np.int64]
Values = tuple[str | float, ...]

ALARM = 1e-3  # how often a kind of fact that says nothing is called a leak
AT_ONCE = 999
DRAWS = 30 * AT_ONCE  # a kind may have 29 tests, and one without a better draw is a leak
ENOUGH = 20  # better pairings by luck, after which no more are drawn
PLAIN = ("name", "order", "size", "time")
LONGEST = 64  # characters of a text that are compared
LINKED = "files linked by "
DECLARED = frozenset(
    {"SOPClassUID", "Modality", "BurnedInAnnotation", "LossyImageCompression"}
)  # which follow the source, as every card says


@dataclass(frozen=True)
class _Test:
    """One way to hold private files against originals: ``scores`` ``(n, n)``, private by row."""

    how: str
    scores: Matrix


class SideChannels(Attack):
    """One outcome for each kind of fact of the released files."""

    name = "side_channels"
    title = "links files by name, order, size, time and header, without their pixels"
    kind = AttackKind.SIDE_CHANNEL
    meaning = "The attacker looks at the files alone: order, names, sizes, times and headers."

    def unavailable_reason(self, scene: ThreatModel) -> str | None:
        """Where the images do not lie in files."""
        return "nothing is known of files" if scene.files is None else None

    def run(self, scene: ThreatModel, tell: ProgressCallback) -> list[Outcome]:
        """Rank-1 by the most telling way to link, for each kind that is not constant."""
        assert scene.files is not None
        outcomes, declared = [], []
        kinds, alike = list(scene.files.private), _declared(scene)
        for i, kind in enumerate(kinds):  # one at a time: each test holds n x n scores
            tell(i / len(kinds), "pairing files at random")
            tests = list(_tests(scene.files, kind))
            if not tests:
                continue
            scores = [test.scores for test in tests]
            outcome = self._outcome(scene, kind, tests, _by_luck(scores, scene.seed))
            if outcome.headline and alike.any():
                beyond = min(_by_luck(scores, scene.seed, alike)) * len(tests)
                if beyond >= ALARM:
                    declared.append(outcome)
                    continue
            outcomes.append(outcome)
        return [*outcomes, *_together(declared)]

    def _outcome(
        self, scene: ThreatModel, kind: str, tests: list[_Test], chances: list[float]
    ) -> Outcome:
        best = int(np.argmin(chances))
        p = min(1.0, chances[best] * len(tests))
        n, patients = len(tests[best].scores), scene.target.cohort.patients
        match = matched(
            tests[best].scores,
            np.arange(n),
            patients,
            resamples=scene.effort.resamples,
            seed=scene.seed,
        )
        leaks = p < ALARM
        # The best of several tests is lucky, so a claim is only held against it if it leaks.
        whole = scene.guarantee if leaks else None
        return Outcome.of(
            match.first,
            attack=self.name,
            setting=f"{LINKED}{kind}",
            metric=RANK_1,
            n=n,
            patients=len(np.unique(patients)),
            chance=1 / n,
            ceiling=whole.gallery_ceiling(n) if whole else None,
            headline=leaks,
            detail={
                "p": p,
                "false_alarm": ALARM,
                "how": tests[best].how,
                "auc": match.area.value,
                "tests": len(tests),
            },
        )


def _declared(scene: ThreatModel) -> Index:
    """``(n,)`` numbers of files that the card declares alike; all 0 where nothing differs."""
    assert scene.files is not None
    columns = [
        values
        for kind, values in scene.files.private.items()
        if kind.removeprefix("header:").rpartition(" ")[2] in DECLARED
    ]
    if "name" in scene.files.private:
        columns.append(tuple(Path(str(name)).suffix for name in scene.files.private["name"]))
    columns.append(tuple(map(str, scene.target.labels[0].tolist())))
    table = np.array([list(map(str, column)) for column in columns]).T
    return np.unique(table, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _together(outcomes: list[Outcome]) -> list[Outcome]:
    """All that tell what is declared as one: the one that names most, without a ceiling.

    Epsilon bounds none of it but a released label, which the other attacks hold against it.
    """
    if not outcomes:
        return []
    most = max(outcomes, key=lambda outcome: outcome.value or 0.0)
    facts = ", ".join(outcome.setting.removeprefix(LINKED) for outcome in outcomes)
    return [
        structs.replace(
            most,
            setting=f"{LINKED}what the card declares of each: its kind, its marks, its label",
            ceiling=None,
            refutes=UNSET,
            declared=True,
            detail=Detail({**most.detail, "how": f"seen in {facts}, which say no more"}),
        )
    ]


def _tests(files: FileFacts, kind: str) -> Iterator[_Test]:
    """Every way to hold a kind of private fact against original ones; none if it is constant."""
    private = files.private[kind]
    if len(set(private)) < 2:
        return
    rank = _rank(private)
    for other, original in files.original.items():
        # A header element is held against itself and what every file has, not against them all.
        if len(set(original)) < 2 or (other != kind and other not in PLAIN):
            continue
        theirs = _rank(original)
        yield _Test(f"sorted like the original {other}", -np.abs(rank[:, None] - theirs))
        backwards = len(theirs) + 1 - theirs
        yield _Test(
            f"sorted like the original {other}, backwards", -np.abs(rank[:, None] - backwards)
        )
        if _texts(private) and _texts(original):
            yield _Test(f"text shared with the original {other}", _shared(private, original))
            if other == "name":
                for digest in ("md5", "sha1", "sha256"):
                    hashed = [_digest(digest, str(text)) for text in original]
                    yield _Test(
                        f"text shared with the {digest} of the {other}", _shared(private, hashed)
                    )


def _by_luck(stacked: Sequence[Matrix], seed: int, alike: Index | None = None) -> list[float]:
    """Share of pairings of private and original files that match as well as the true one.

    Of each matrix of scores; all are tried on the same pairings.

    Args:
        stacked: Scores ``(n, n)``, private by row.
        seed: Of the pairings.
        alike: ``(n,)`` numbers of groups within which files are paired; None for one.
    """
    n, noise, count = len(stacked[0]), SeededNoise(seed), 0
    true = [np.trace(s, dtype=np.float64) for s in stacked]
    better, tried = np.zeros(len(stacked)), np.zeros(len(stacked))
    rows = np.arange(n)
    while count < DRAWS and better.min() < ENOUGH:
        drawn = orders(noise, AT_ONCE, n)
        pairings = np.array_split(drawn if alike is None else _within(drawn, alike), 9)
        count += AT_ONCE
        for i in np.flatnonzero(better < ENOUGH).tolist():
            tried[i] = count
            for order in pairings:
                sums = stacked[i][rows, order].sum(axis=1, dtype=np.float64)
                better[i] += (sums >= true[i]).sum()
    return [float(p) for p in (better + 1) / (tried + 1)]


def _within(drawn: Index, groups: Index) -> Index:
    """Pairings ``(m, n)`` of files of one group, from pairings of any."""
    sorted_ = np.argsort(groups[drawn], axis=1, kind="stable")
    within = np.empty_like(drawn)
    within[:, np.argsort(groups, kind="stable")] = np.take_along_axis(drawn, sorted_, axis=1)
    return within


def _shared(one: Sequence[str | float], other: Sequence[str | float]) -> Matrix:
    """Length ``(n, n)`` of the longest common substring of each pair of texts.

    Two texts have one of length k exactly if they share a k-gram, and then one of each less.
    """
    texts = [[str(text)[:LONGEST] for text in side] for side in (one, other)]
    length = np.zeros((len(texts[0]), len(texts[1])), dtype=np.float32)
    for k in range(1, min(max(map(len, side)) for side in texts) + 1):
        grams = CountVectorizer(analyzer="char", ngram_range=(k, k), lowercase=False, binary=True)
        try:
            grams.fit(texts[0])
        except ValueError:  # no text is so long
            break
        a, b = (grams.transform(side).astype(np.float32) for side in texts)
        share = (a @ b.T).toarray() > 0
        if not share.any():
            break
        length += share
    return length


def _rank(values: Values) -> Matrix:
    """Ranks from 1, ties in the middle; texts by alphabet, with numbers in them as numbers."""
    if not _texts(values):
        return np.asarray(rankdata([float(v) for v in values]), dtype=np.float32)
    keys = [_natural(str(value)) for value in values]
    places = {key: i for i, key in enumerate(sorted(set(keys)))}
    return np.asarray(rankdata([places[key] for key in keys]), dtype=np.float32)


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", text)
    return tuple((0, int(x), "") if x[0] in "0123456789" else (1, 0, x) for x in parts)


def _texts(values: Sequence[str | float]) -> bool:
    return any(isinstance(value, str) for value in values)


def _digest(name: str, text: str) -> str:
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


attack = SideChannels()
