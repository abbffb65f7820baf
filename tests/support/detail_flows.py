"""Detail flows of small photographs."""

import numpy as np

from latentdp.data.preprocess import resize
from latentdp.models.super_resolution.wavelet_flow import WaveletFlowConfig
from latentdp.models.training.wavelet_flow import (
    WaveletFlowTraining,
    WaveletFlowTrainingConfig,
)

CONFIG = WaveletFlowConfig(size=32, steps=2, hidden=8, features=8, blocks=1)


def photographs(n=12, side=32, seed=0) -> np.ndarray:
    """Smooth pictures with a grain whose strength follows their brightness."""
    rng = np.random.default_rng(seed)
    smooth = np.stack(
        [resize(rng.random((4, 4), dtype=np.float32), (side, side)) for _ in range(n)]
    )
    grain = rng.normal(size=smooth.shape) * 0.1 * smooth
    return np.rint(np.clip(0.2 + 0.6 * smooth + grain, 0, 1) * 255).astype(np.uint8)


def trainer(state, train=None, **changes) -> WaveletFlowTraining:
    options = {"batch": 8, "crop": 16, "learning_rate": 5e-3, "ema": 0.9} | changes
    pixels = photographs() if train is None else train
    return WaveletFlowTraining(
        CONFIG, WaveletFlowTrainingConfig(**options), pixels, photographs(4, seed=1), state
    )
