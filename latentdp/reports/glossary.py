"""What settings and groups of methods are called, for a person who must decide about a release.

What a number means stands with the metric (`latentdp.metrics.definitions`), what an attacker does
with the attack.
"""

from __future__ import annotations

from latentdp.reports.comparison import Group

__all__ = ["GROUPS", "LABELS_ONLY", "SETTINGS"]

GROUPS: dict[Group, str] = {"ours": "latentdp", "rival": "Rival methods", "control": "Controls"}

LABELS_ONLY = "label-mean"  # the control that releases labels and nothing else: all must beat it

SETTINGS = {
    "o/o": "learnt and tested on originals",
    "o/p": "learnt on originals, tested on private images",
    "p/o": "learnt on private images, tested on originals",
    "p/p": "learnt and tested on private images",
}
