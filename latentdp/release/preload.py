"""What worker processes need, loaded once: the process that they are forked from imports this.

What it has loaded stays for good, and is not looked through for dead objects in any fork, which
would copy the memory that forks share.
"""

from __future__ import annotations

import gc

from latentdp.core.process import collect_seldom

collect_seldom()

import latentdp.models.flow.flow  # noqa: E402  (after collections are rare)
import latentdp.release.executor  # noqa: E402, F401

gc.freeze()
