"""What attacks are about, by the name that their outcomes carry.

An attack is a plug-in and says so itself. Its outcomes travel as JSON under its name, so that a
page and a verdict can be made again from a file; here the name leads back to the plug-in.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from latentdp.core import plugins
from latentdp.errors import InputError

__all__ = ["AttackKind", "kind_of", "meaning_of"]


class AttackKind(StrEnum):
    """What an attack that succeeds has found out."""

    VERIFICATION = "verification"  # whether two images are of one person
    SEARCH = "search"  # which original an image was made from
    RETRIEVAL = "retrieval"  # whose image it is, by other images of theirs
    RECONSTRUCTION = "reconstruction"  # what the original looks like
    SIDE_CHANNEL = "side channel"  # which original, without a look at a pixel
    REPETITION = "repetition"  # which original, from several releases of it
    ATTRIBUTE = "attribute"  # a property of the person, such as sex or age
    MEMBERSHIP = "membership"  # who trained the weights
    UNKNOWN = "unknown"  # nobody says

    @property
    def identifies(self) -> bool:
        """Whether it leads from a release, as it is, to a person.

        Averages are of repeats that a release is not; attributes and membership name nobody. What
        is not known may name anybody.
        """
        return self not in (AttackKind.REPETITION, AttackKind.ATTRIBUTE, AttackKind.MEMBERSHIP)


def kind_of(attack: str) -> AttackKind:
    """The kind of an attack by its name; `AttackKind.UNKNOWN` where there is no such plug-in."""
    plugin = _plugin(attack)
    return AttackKind.UNKNOWN if plugin is None else plugin.kind


def meaning_of(attack: str) -> str:
    """What the attacker does, in the words of a page; empty where there is no such plug-in."""
    plugin = _plugin(attack)
    return "" if plugin is None else plugin.meaning


def _plugin(attack: str) -> Any:
    # By its name, as the command lists it: the rooms of attacks lie above this one.
    for kind in ("attacks", "sharing attacks"):
        try:
            return plugins.load(kind, attack).attack
        except InputError:
            continue
    return None
