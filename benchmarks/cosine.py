"""How much of a latent each mechanism keeps at equal total epsilon: simulated, and in theory.

    python benchmarks/cosine.py [--dimensions 256 1024 4096] [--elements 4194304]
        [--json [FILE]]

The mean cosine between standard normal latents and what the calibrated mechanism makes of them:

- before repair: of the perturbed latent itself (a codeword and a corner are turned back first,
  which is linear);
- after repair: of what `privatize` returns, which is N(0, I) again.

Beside it stand the closed form of the real parameters, and the number in the literature table
that the project started from (epsilon is the whole image's; the Gaussian's delta is 1e-6). A
number is flagged if it is more than 3 standard errors and 2 % away from either; the reference's
own last digit is granted. The ceiling is what no mechanism exceeds:
sqrt(1 - exp(-2 epsilon tanh(epsilon / 2) / d)), from the rate-distortion function of a normal
source.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import mpmath
import numpy as np
from _harness import Report, parse, parser
from _results import Column
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from latentdp import InputError
from latentdp.privacy.mechanisms.base import Mechanism
from latentdp.privacy.mechanisms.codebook import Codebook
from latentdp.privacy.mechanisms.gaussian import Gaussian
from latentdp.privacy.mechanisms.hypercube import Hypercube
from latentdp.privacy.mechanisms.laplace import Laplace
from latentdp.privacy.mechanisms.laplace_l1 import LaplaceL1
from latentdp.privacy.mechanisms.vmf import VonMisesFisher
from latentdp.privacy.noise import SeededNoise
from latentdp.privacy.samplers.uniform import normal

BUDGETS = (1.0, 10.0, 100.0, 1000.0, 10_000.0)

MOST_ROWS = 4096
# d, epsilon: Laplace c = 3, Laplace at its best c, l1, Gaussian, vMF, ceiling.
REFERENCE = {
    (256, 1): ".00046 .0011 .0017 .0074 .0020 .060",
    (256, 10): ".0046 .0110 .0173 .058 .0195 .274",
    (256, 100): ".0459 .109 .171 .304 .188 .736",
    (256, 1000): ".417 .682 .866 .783 .777 .9998",
    (256, 10000): ".977 .984 .998 .974 .975 1.00",
    (256, 256): ".117 .266 .405 .499 .414 .930",
    (1024, 1): ".00011 .00028 .00043 .0037 .00049 .030",
    (1024, 10): ".0011 .0028 .0043 .029 .0049 .139",
    (1024, 100): ".0115 .0275 .0432 .158 .0487 .421",
    (1024, 1000): ".114 .261 .397 .532 .407 .926",
    (1024, 10000): ".754 .886 .974 .906 .903 1.00",
    (1024, 1024): ".117 .266 .405 .537 .414 .930",
    (4096, 1): ".00003 .00007 .00011 .0018 .00012 .015",
    (4096, 10): ".00029 .00069 .0011 .0144 .0012 .070",
    (4096, 100): ".0029 .0069 .0108 .080 .0122 .218",
    (4096, 1000): ".029 .069 .108 .300 .120 .622",
    (4096, 10000): ".276 .532 .734 .730 .671 .996",
    (4096, 4096): ".117 .266 .405 .557 .414 .930",
}
COLUMNS = ("laplace, clip 3", "laplace, best clip", "laplace_l1", "gaussian", "vmf", "ceiling")
HYPERCUBE = {(4096, 10): ".0406", (4096, 100): ".168"}
Make = Callable[[float, int], Mechanism]


# What is printed of a row.
SHOWN = (
    Column("d", "{dimensions}"),
    Column("epsilon", "{epsilon:g}"),
    Column("mechanism", "{mechanism}"),
    Column("before repair", "{before:.5f} ± {error:.5f}", missing=""),
    Column("after", "{after:.5f}", missing=""),
    Column("closed form", "{theory:.5f}", missing=""),
    Column("reference", "{reference}"),
    Column("", "{note}"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One mechanism at one budget; what a refused one or the ceiling lacks is None.

    Attributes:
        dimensions: Of the latent.
        epsilon: Of the whole image.
        mechanism: And its clip.
        before: Mean cosine before repair.
        after: After it.
        error: Standard error of the first.
        theory: Closed form.
        reference: As the literature table has it; empty where it has none.
        note: Where they disagree, or why the mechanism refuses.
    """

    dimensions: int
    epsilon: float
    mechanism: str
    before: float | None = None
    after: float | None = None
    error: float | None = None
    theory: float | None = None
    reference: str = ""
    note: str = ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything and prints a table."""
    options = parser("cosine", __doc__)
    options.add_argument("--dimensions", type=int, nargs="+", default=[256, 1024, 4096])
    options.add_argument("--elements", type=int, default=2**22, help="drawn for each number")
    parsed = parse(options, arguments)
    with Report(parsed, SHOWN, facts={"elements": parsed.elements}) as report:
        flagged = rows = 0
        for d in parsed.dimensions:
            for row in table(d, parsed.elements):
                report.add(row)
                rows, flagged = rows + 1, flagged + row.note.startswith("DIFFERS")
        report.say(f"\n{flagged} of {rows} rows differ by more than 3 standard errors and 2 %.")


def table(d: int, elements: int) -> Iterator[Row]:
    """All mechanisms at all budgets in ``d`` dimensions."""
    makers: dict[str, Make] = {
        "laplace, clip 3": lambda epsilon, d: Laplace.calibrate(epsilon, d, 3.0),
        "laplace, own clip": Laplace.calibrate,
        "laplace, best clip": lambda epsilon, d: Laplace.calibrate(
            epsilon, d, best_clip(epsilon / d)
        ),
        "laplace_l1": LaplaceL1.calibrate,
        "gaussian": Gaussian.calibrate,
        "vmf": VonMisesFisher.calibrate,
        "hypercube": Hypercube.calibrate,
        "codebook": Codebook.calibrate,
    }
    for epsilon in sorted({*BUDGETS, float(d)}):
        known = dict(zip(COLUMNS, REFERENCE.get((d, int(epsilon)), "").split(), strict=False))
        known["hypercube"] = HYPERCUBE.get((d, int(epsilon)), "")
        for name, make in makers.items():
            yield measured(name, make, epsilon, d, elements, known.get(name, ""))
        ceiling = math.sqrt(-math.expm1(-2 * epsilon * math.tanh(epsilon / 2) / d))
        yield Row(
            dimensions=d,
            epsilon=epsilon,
            mechanism="ceiling",
            theory=ceiling,
            reference=known.get("ceiling", ""),
        )


def measured(name: str, make: Make, epsilon: float, d: int, elements: int, known: str) -> Row:
    """One row of the table."""
    bare = Row(dimensions=d, epsilon=epsilon, mechanism=name, reference=known)
    try:
        mechanism = make(epsilon, d)
    except InputError as refusal:
        return replace(bare, note=f"refused: {refusal}")
    rows = min(MOST_ROWS, max(64, elements // d))
    if isinstance(mechanism, Codebook):
        rows = max(64, 1024 // mechanism.stages)
    before, after = [], []
    noise = SeededNoise(zlib.crc32(f"{name} {epsilon} {d}".encode()))
    for start in range(0, rows, 512):
        z = normal(noise, (min(512, rows - start), d))
        perturbed = mechanism.perturb(z, noise)
        repaired = mechanism.repair(perturbed, noise)
        linear = repaired if isinstance(mechanism, Codebook | Hypercube) else perturbed
        before.append(cosines(z, linear.astype(np.float64)))
        after.append(cosines(z, repaired))
    sample = np.concatenate(before)
    mean, error = float(sample.mean()), float(sample.std(ddof=1) / math.sqrt(rows))
    expected = theory(mechanism)
    return replace(
        bare,
        before=mean,
        after=float(np.concatenate(after).mean()),
        error=error,
        theory=expected,
        note=disagreement(mean, error, expected, known),
    )


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each pair of rows."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / lengths)


def disagreement(mean: float, error: float, closed_form: float, reference: str) -> str:
    """In words, where the simulation is too far from theory or reference."""
    expected = {"closed form": (closed_form, 0.0)}
    if reference:
        granted = 0.5 * 10.0 ** -len(reference.partition(".")[2])
        expected["reference"] = (float(reference), granted)
    far = [
        name
        for name, (value, digit) in expected.items()
        if abs(mean - value) > 3 * error + 0.02 * value + digit
    ]
    return f"DIFFERS from {' and '.join(far)}" if far else ""


def theory(mechanism: Mechanism) -> float:
    """The cosine that the mechanism's own parameters give in many dimensions."""
    d = mechanism.dimensions
    if isinstance(mechanism, Laplace):
        return laplace(mechanism.clip, mechanism.scale)
    if isinstance(mechanism, LaplaceL1):
        b = mechanism.clip / mechanism.steps * mechanism.base / math.log(2)
        return 1 / math.sqrt(1 + 2 * b**2)
    if isinstance(mechanism, Gaussian):
        sigma = mechanism.scale * mechanism.clip / mechanism.steps
        return 1 / math.sqrt(1 + sigma**2)
    if isinstance(mechanism, VonMisesFisher):
        with mpmath.workdps(30):  # scipy's functions underflow in many dimensions
            kappa = mechanism.kappa
            return float(mpmath.besseli(d / 2, kappa) / mpmath.besseli(d / 2 - 1, kappa))
    if isinstance(mechanism, Hypercube):
        return math.sqrt(2 / math.pi) * agreement(mechanism)
    if isinstance(mechanism, Codebook):
        return math.sqrt(1 - (1 - mechanism.gain**2) ** mechanism.stages)
    raise InputError(f"no closed form for {mechanism.name}")


def laplace(c: float, b: float) -> float:
    """P_c / sqrt(V_c + 2 b^2): correlation of Z and clip(Z, -c, c) + Laplace(b)."""
    p = 2 * norm.cdf(c) - 1
    v = p - 2 * c * norm.pdf(c) + 2 * c**2 * norm.cdf(-c)
    return float(p / math.sqrt(v + 2 * b**2))


def best_clip(each: float) -> float:
    """The clip that keeps most at ``each`` nats an element, where b = 2 c / each."""
    best = minimize_scalar(
        lambda c: -laplace(c, 2 * c / each), bounds=(0.05, 8.0), method="bounded"
    )
    return round(float(best.x), 3)


def agreement(mechanism: Hypercube) -> float:
    """Expected share of agreeing signs less that of the others, from integers."""
    k, t = mechanism.dimensions, mechanism.agree
    counts = [math.comb(k, j) for j in range(k + 1)]

    def share(low: int, high: int) -> float:
        total = sum(counts[low:high])
        moment = sum(j * counts[j] for j in range(low, high))
        return (2 * moment - k * total) * 10**15 // (k * total) / 10**15

    lies = mechanism.lies / 2**64
    return (1 - lies) * share(t, k + 1) + lies * share(0, t)


if __name__ == "__main__":
    main()
