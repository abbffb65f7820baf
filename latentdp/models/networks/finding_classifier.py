"""A small network that reads findings, to ask what images are still good for.

Not the best reader there is, but the same for all images that are compared: a residual network
(He et al. 2016, arXiv 1512.03385) of one block a stage, AdamW (Loshchilov and Hutter 2019), a
cosine rate, and a number of steps that is fixed in advance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from latentdp.errors import InputError
from latentdp.models.device import device, placed
from latentdp.models.networks.embedding import Residual, batches
from latentdp.models.training.augmentation import Augmentation

__all__ = ["ClassifierConfig", "FindingClassifier"]

MILD = Augmentation(
    degrees=5, scale=0.06, shift=0.04, shear=0.02, exposure=0.15, blur=0.0, noise=0.01, erase=0.0
)


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """How a reader learns.

    Attributes:
        steps: Of the optimiser.
        batch: Images a step.
        learning_rate: AdamW's peak rate.
        weight_decay: Of the same.
        widths: Channels of each stage; every stage halves the image.
        augmentation: Of every image that is shown.
        seed: Of the first weights, of order and augmentation.
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

    def __init__(self, net: _Net) -> None:
        self._net = net.eval()

    @classmethod
    def fit(
        cls,
        images: NDArray[np.floating],
        labels: NDArray[np.int64],
        classes: int,
        course: ClassifierConfig,
    ) -> Self:
        """Learns to tell classes apart, each counted alike however rare it is.

        Args:
            images: ``(versions, n, h, w)`` in [0, 1]; each time one of the versions is shown.
            labels: ``(versions, n)`` in 0..classes - 1.
            classes: Number of classes.
            course: How to learn.

        Raises:
            InputError: A class is absent, or labels do not fit the images.
        """
        if labels.shape != images.shape[:2]:
            raise InputError(f"expected labels of shape {images.shape[:2]}, got {labels.shape}")
        counts = np.bincount(labels.ravel(), minlength=classes)
        if len(counts) != classes or counts.min() == 0:
            raise InputError(f"expected images of each of {classes} classes, got counts {counts}")
        generator = torch.Generator().manual_seed(course.seed)
        net = placed(_Net(course.widths, classes, generator))
        where = device()
        weights = torch.from_numpy(labels.size / (classes * counts)).float().to(where)
        optimiser = torch.optim.AdamW(
            net.parameters(), lr=course.learning_rate, weight_decay=course.weight_decay
        )
        net.train()
        order = torch.zeros(0, dtype=torch.long)
        for step in range(course.steps):
            warm = min(1.0, 10 * (step + 1) / course.steps)
            cosine = 0.5 * (1 + math.cos(math.pi * step / course.steps))
            for group in optimiser.param_groups:
                group["lr"] = course.learning_rate * warm * (0.01 + 0.99 * cosine)
            while len(order) < course.batch:  # every image once before any comes again
                order = torch.cat([order, torch.randperm(labels.shape[1], generator=generator)])
            rows, order = order[: course.batch].numpy(), order[course.batch :]
            which = torch.randint(len(images), (course.batch,), generator=generator).numpy()
            shown = torch.from_numpy(np.asarray(images[which, rows], dtype=np.float32))[:, None]
            shown = course.augmentation(shown, generator)
            truth = torch.from_numpy(labels[which, rows]).to(where)
            optimiser.zero_grad(set_to_none=True)
            logits = net(shown.to(where, memory_format=torch.channels_last))
            loss = cross_entropy(logits, truth, weights)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
        return cls(net)

    def log_odds(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """Log-odds ``(n, classes)`` of each class against all others, of ``(n, h, w)`` images."""
        logits = self._run(images, self._net)
        odds = np.empty_like(logits)
        for c in range(logits.shape[1]):
            rest = np.delete(logits, c, axis=1)
            top = rest.max(axis=1, keepdims=True)
            odds[:, c] = logits[:, c] - top[:, 0] - np.log(np.exp(rest - top).sum(axis=1))
        return odds

    def features(self, images: NDArray[np.floating]) -> NDArray[np.float64]:
        """Pooled activations ``(n, widths[-1])`` before the last layer."""
        return self._run(images, self._net.pooled)

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """The weights, for `of`; row by row in memory, as safetensors takes for given."""
        state = self._net.state_dict()
        return {k: np.ascontiguousarray(v.float().cpu().numpy()) for k, v in state.items()}

    @classmethod
    def of(
        cls, tensors: dict[str, NDArray[np.float32]], classes: int, course: ClassifierConfig
    ) -> Self:
        """The inverse of `tensors`."""
        net = _Net(course.widths, classes, torch.Generator())
        state = net.state_dict()
        net.load_state_dict(
            {k: torch.from_numpy(np.array(v)).to(state[k].dtype) for k, v in tensors.items()}
        )
        return cls(placed(net))

    def _run(
        self, images: NDArray[np.floating], part: Callable[[Tensor], Tensor]
    ) -> NDArray[np.float64]:
        where = next(self._net.parameters()).device
        found: list[NDArray[np.float64]] = []
        with torch.inference_mode():
            for some in batches(images, 256):
                x = torch.from_numpy(some)[:, None]
                x = x.to(where, memory_format=torch.channels_last)
                found.append(part(x).double().cpu().numpy())
        return np.concatenate(found)


class _Net(nn.Module):
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
