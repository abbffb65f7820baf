"""A small network that tells findings, to ask what images are still good for.

Not the best classifier there is, but the same for all images that are compared: a residual network
(He et al. 2016, arXiv 1512.03385) of one block a stage, AdamW (Loshchilov and Hutter 2019), a
cosine rate, and a number of steps that is fixed in advance.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from latentdp.errors import InputError
from latentdp.metrics.discriminants import log_odds_against_rest
from latentdp.models.device import device, placed
from latentdp.models.networks.embedding import Residual, batches
from latentdp.models.training.augmentation import Augmentation
from latentdp.models.training.loop import Part, TrainingLoop
from latentdp.models.training.schedule import cosine

__all__ = ["ClassifierConfig", "FindingClassifier", "Truth"]

Truth = NDArray[np.int64] | NDArray[np.float32]

MILD = Augmentation(
    degrees=5, scale=0.06, shift=0.04, shear=0.02, exposure=0.15, blur=0.0, noise=0.01, erase=0.0
)

TOGETHER = 64  # images of a pass; more were no faster, and took memory


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """How a classifier learns.

    Attributes:
        steps: Steps of the optimiser, at least 1.
        batch: Images a step.
        learning_rate: AdamW's peak rate.
        weight_decay: AdamW's decay of the weights.
        widths: Channels of each stage; every stage halves the image.
        augmentation: Random changes of every image that is shown.
        seed: Seed of the first weights, of order and augmentation.
    """

    steps: int
    batch: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    widths: tuple[int, ...] = (16, 32, 64, 128)
    augmentation: Augmentation = field(default_factory=lambda: MILD)
    seed: int = 0

    def describe(self) -> str:
        """All that determines what is learnt, besides the images."""
        return str(sorted(asdict(self).items()))


class FindingClassifier:
    """A trained network: images in, numbers out."""

    def __init__(self, net: _ClassifierNet) -> None:
        self._net = net.eval()

    @classmethod
    def fit(
        cls,
        images: NDArray[np.floating],
        labels: Truth,
        classes: int,
        settings: ClassifierConfig,
    ) -> Self:
        """Learns to tell classes apart, each counted alike however rare it is.

        Args:
            images: ``(versions, n, h, w)`` in [0, 1]; each time one of the versions is shown.
            labels: ``(versions, n)`` in 0..classes - 1; or ``(versions, n, classes)`` shares of
                an image that shows several, which add up to 1 (Mahajan et al. 2018,
                arXiv 1805.00932, section 2.3).
            classes: Number of classes.
            settings: How to learn.

        Raises:
            InputError: A class is absent, or labels do not fit the images.
        """
        if labels.shape[:2] != images.shape[:2]:
            raise InputError(f"expected labels of shape {images.shape[:2]}, got {labels.shape}")
        if labels.ndim == 3:
            counts = labels.sum(axis=(0, 1))
        else:
            counts = np.bincount(np.asarray(labels, np.int64).ravel(), minlength=classes)
        if len(counts) != classes or counts.min() == 0:
            raise InputError(f"expected images of each of {classes} classes, got counts {counts}")
        training = _Training(images, labels, counts, settings)
        training.run()
        return cls(training.net)

    def log_odds(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log-odds ``(n, classes)`` in nats of each class against all others together.

        Args:
            images: ``(n, h, w)`` in [0, 1].
        """
        return log_odds_against_rest(self._run(images, self._net))

    def features(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pooled activations ``(n, widths[-1])`` of images ``(n, h, w)``, of the last stage."""
        return self._run(images, self._net.pooled)

    def copied(self) -> nn.Module:
        """A copy of the network, to train on: images ``(n, 1, h, w)`` in [0, 1] to logits."""
        return copy.deepcopy(self._net)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """The weights, for `of`; row by row in memory, as safetensors takes for given."""
        state = self._net.state_dict()
        return {k: np.ascontiguousarray(v.float().cpu().numpy()) for k, v in state.items()}

    @classmethod
    def of(
        cls, tensors: dict[str, NDArray[np.float32]], classes: int, settings: ClassifierConfig
    ) -> Self:
        """The inverse of `tensors`.

        Args:
            tensors: The weights by name.
            classes: Number of classes.
            settings: How it learnt; its widths count.

        Raises:
            RuntimeError: The tensors do not fit.
        """
        net = _ClassifierNet(settings.widths, classes, torch.Generator())
        state = net.state_dict()
        net.load_state_dict(
            {k: torch.from_numpy(np.array(v)).to(state[k].dtype) for k, v in tensors.items()}
        )
        return cls(placed(net))

    def _run(
        self, images: NDArray[np.floating], part: Callable[[Tensor], Tensor]
    ) -> NDArray[np.float64]:
        where = next(self._net.parameters()).device
        outputs: list[NDArray[np.float64]] = []
        with torch.inference_mode():
            for batch in batches(images, TOGETHER):
                x = torch.from_numpy(batch)[:, None]
                x = x.to(where, memory_format=torch.channels_last)
                outputs.append(part(x).double().cpu().numpy())
        return np.concatenate(outputs)


class _Training(TrainingLoop):
    """A run that is not kept. The rate rises for a tenth of the steps and then follows a cosine.

    Args:
        images: ``(versions, n, h, w)`` in [0, 1].
        labels: ``(versions, n)`` class indices, or ``(versions, n, classes)`` shares.
        counts: ``(classes,)`` number of images of each class.
        settings: How to learn.
    """

    def __init__(
        self,
        images: NDArray[np.floating],
        labels: Truth,
        counts: NDArray[Any],
        settings: ClassifierConfig,
    ) -> None:
        super().__init__(None, "", steps=settings.steps, images_per_step=settings.batch)
        self.images, self.labels, self.settings = images, labels, settings
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.net = placed(_ClassifierNet(settings.widths, len(counts), self.generator)).train()
        weights = torch.from_numpy(counts.sum() / (len(counts) * counts)).float()
        self.class_weights = weights.to(device())
        self.optimiser = torch.optim.AdamW(
            self.net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.schedule(self.optimiser, partial(cosine, warm=settings.steps / 10))
        self._order = torch.zeros(0, dtype=torch.long)

    def _learn(self) -> float:
        shown, truth = self._batch()
        self.optimiser.zero_grad(set_to_none=True)
        logits = self.net(shown.to(device(), memory_format=torch.channels_last))
        loss = cross_entropy(logits, truth.to(device()), self.class_weights)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        return float(loss.detach())

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Images ``(n, 1, h, w)``, changed at random, and their labels ``(n,)``."""
        n, g = self.settings.batch, self.generator
        while len(self._order) < n:  # every image once before any comes again
            again = torch.randperm(self.labels.shape[1], generator=g)
            self._order = torch.cat([self._order, again])
        rows, self._order = self._order[:n].numpy(), self._order[n:]
        version = torch.randint(len(self.images), (n,), generator=g).numpy()
        shown = torch.from_numpy(np.asarray(self.images[version, rows], dtype=np.float32))
        truth = torch.from_numpy(self.labels[version, rows])
        return self.settings.augmentation(shown[:, None], g), truth

    def _parts(self) -> Mapping[str, Part]:
        return {"net": self.net, "optimiser": self.optimiser, "generator": self.generator}


class _ClassifierNet(nn.Module):
    def __init__(self, widths: tuple[int, ...], classes: int, generator: torch.Generator) -> None:
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(first)
        )
        before = (first, *widths[:-1])
        self.stages = nn.Sequential(
            *(
                Residual(a, b, stride=2 if i else 1)
                for i, (a, b) in enumerate(zip(before, widths, strict=True))
            )
        )
        self.head = nn.Linear(widths[-1], classes)
        for module in self.modules():  # from the generator, not from the state of all of torch
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def pooled(self, images: Tensor) -> Tensor:
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        spread = images.std(dim=(1, 2, 3), keepdim=True)
        x = torch.relu(self.stem((images - mean) / (spread + 0.02)))
        pooled: Tensor = self.stages(x).mean(dim=(2, 3))
        return pooled

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pooled(images))
        return logits
