"""What readers learn from a lecture: labels, or the probabilities that stand beside them."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from latentdp.models.networks.classifier_cache import ClassifierCache
from latentdp.synthesis.readers import Lecture, linear, network


def squares(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of noise, half of them with a bright square, and which those are."""
    rng = np.random.default_rng(seed)
    images, bright = rng.random((n, 32, 32)) / 2, np.arange(n) % 2 == 0
    images[bright, 8:24, 8:24] += 0.4
    return images.astype(np.float32), bright


def test_a_network_learns_probabilities_where_there_are_any_and_a_linear_reader_labels():
    images, bright = squares(96, 0)
    tested, truth = squares(60, 1)
    likely = np.where(bright, 0.7, 0.3)
    lecture = Lecture(
        images=images,
        shown=np.stack([~bright, bright], axis=1),  # the wrong way round
        probabilities=np.stack([likely, 1 - likely], axis=1),
    )
    taught = network(lecture, tested, ClassifierCache(), [0])
    assert roc_auc_score(truth, taught[:, 0]) > 0.95
    assert roc_auc_score(truth, linear(lecture, tested)[:, 0]) < 0.05


def test_an_image_that_is_said_to_show_nothing_teaches_a_network_nothing():
    images, bright = squares(64, 0)
    shown = np.stack([bright, ~bright], axis=1)
    tested, _ = squares(8, 1)
    kept = np.arange(64) % 8 > 1
    lecture = Lecture(images=images, shown=shown, probabilities=shown * kept[:, None])
    fewer = Lecture(images=images[kept], shown=shown[kept])
    scores = [network(x, tested, ClassifierCache(), [0]) for x in (lecture, fewer)]
    assert scores[0] == pytest.approx(scores[1])
