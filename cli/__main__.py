"""``python -m latentdp._cli``, for launchers that take a module."""

import sys

from . import main

sys.exit(main())
