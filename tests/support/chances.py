"""Exact chances of each winner of a noisy election, from the definitions and not from our code."""

from fractions import Fraction
from itertools import permutations
from math import factorial

import numpy as np

from latentdp.privacy.aggregators.laplace import CELLS
from latentdp.privacy.samplers.discrete_laplace import two_sided_geometric

WHOLE = 2**32


def exponential(aggregator, counts):
    r = Fraction(aggregator.parameter, WHOLE)
    weights = [r ** (max(counts) - c) for c in counts]
    return [w / sum(weights) for w in weights]


def permute_and_flip(aggregator, counts):
    r = Fraction(aggregator.parameter, WHOLE)
    coins = [r ** (max(counts) - c) for c in counts]
    chances = [Fraction(0)] * len(counts)
    for order in permutations(range(len(counts))):
        left = Fraction(1, factorial(len(counts)))
        for candidate in order:
            chances[candidate] += left * coins[candidate]
            left *= 1 - coins[candidate]
    return chances


def laplace(aggregator, counts):
    """Sums over all noisy counts, of which equal ones share the victory."""
    sampler = two_sided_geometric(aggregator.parameter)
    reach = 45 * aggregator.parameter + CELLS * (max(counts) - min(counts))
    grid = np.arange(-reach, reach)  # noisy votes in cells, less one half, from the first count
    masses = []
    for count in counts:
        twice = 2 * (grid - CELLS * (count - counts[0])) + 1
        masses.append(np.exp(sampler.log_probability(twice)))
    below = [np.cumsum(mass) - mass for mass in masses]
    places, shares = np.polynomial.legendre.leggauss(len(counts))
    chances = []
    for j, mass in enumerate(masses):
        others = [(b, m) for i, (b, m) in enumerate(zip(below, masses, strict=True)) if i != j]
        ties = [np.prod([b + (x + 1) / 2 * m for b, m in others], axis=0) for x in places]
        chances.append(float((mass * (shares @ np.stack(ties)) / 2).sum()))
    return chances


BY_NAME = {
    "exponential": exponential,
    "permute_and_flip": permute_and_flip,
    "laplace": laplace,
}
