"""How many examples a property is tried on: few in `make test`, many in `make test-all`.

They are the same on each run. LATENTDP_FUZZ=10 tries ten times as many, other ones each time.
"""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("LATENTDP_FUZZ", "1"))
QUICK, THOROUGH = "quick", "thorough"  # profiles; `pytest --hypothesis-profile thorough`


def register() -> None:
    """Makes both profiles known; the quick one is in use where none is asked for."""
    base = settings(
        derandomize=TIMES == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.register_profile(QUICK, base, max_examples=20 * TIMES)
    settings.register_profile(THOROUGH, base, max_examples=150 * TIMES)
    settings.load_profile(QUICK)


def examples(most: int) -> settings:
    """Of a property that needs more of them than others: a tenth of ``most`` in `make test`."""
    quick = settings.get_current_profile_name() != THOROUGH
    return settings(max_examples=max(10, most // 10 if quick else most) * TIMES)
