"""Where things lie: the repository, its samples, the real data that few machines have."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples" / "cxr"
SHARED = ROOT.parent / "shared" / "data"
