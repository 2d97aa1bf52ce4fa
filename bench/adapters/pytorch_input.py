"""Sources of PyTorch's batches: arrays on the device, or torchvision's transforms behind a ``DataLoader``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.adapters.base import TrainingPlan
from bench.case import Input

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from bench.datasets.dataset import Split

    Images = NDArray[np.uint8] | NDArray[np.float32]
    Batch = tuple[torch.Tensor, torch.Tensor]

PICTURE_CHANNELS = 4
"""Most channels of a PIL image of bytes: RGBA."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Converts stored images ``(n, *spatial, channels)`` to inputs ``(n, channels, *spatial)`` on a device."""

    device: torch.device
    dtype: torch.dtype
    factor: float
    """Factor for stored values: one over the value that means 1.0."""
    mean: torch.Tensor | None
    std: torch.Tensor | None
    """``(channels, 1, …)``, on the device; None leaves scaled pixels as they are."""
    channels_last: bool

    @classmethod
    def of(cls, train: Split, plan: TrainingPlan, device: torch.device, dtype: torch.dtype, last: bool) -> Pixels:
        """The conversion that images like those of ``train`` need under ``plan``."""
        import torch

        def per_channel(values: NDArray[np.float64] | None) -> torch.Tensor | None:
            if values is None:
                return None
            return torch.tensor(values, dtype=dtype).reshape(-1, *[1] * (len(train.shape) - 1)).to(device)

        exact = 1.0 / train.scale
        factor = exact if dtype == torch.float64 else float(np.float32(exact))
        return cls(device, dtype, factor, per_channel(plan.mean), per_channel(plan.std), last)

    def stored(self, images: Images) -> torch.Tensor:
        """The images on the device as they are, channels first; the caller's own memory if nothing has to move."""
        import torch

        return self.laid_out(torch.from_numpy(np.asarray(images)).movedim(-1, 1)).to(self.device)

    def laid_out(self, images: torch.Tensor) -> torch.Tensor:
        """``images`` with the channels outermost or innermost in memory; no copy if they already are."""
        import torch

        return images.contiguous(memory_format=torch.channels_last if self.channels_last else torch.contiguous_format)

    def inputs(self, stored: torch.Tensor, *, copy: bool = False) -> torch.Tensor:
        """Convert, scale and normalise, in place if ``stored`` already has the network's type, unless ``copy``."""
        inputs = stored.to(self.dtype, copy=copy).mul_(self.factor)
        if self.mean is not None:
            inputs.sub_(self.mean).div_(self.std)
        return inputs


class Resident:
    """All images on the device; a batch is gathered by index.

    Images stay as stored, so that memory holds one copy and conversion is part of every step; or they are
    ``converted`` once, as tutorials do.
    """

    name: Input = "resident"
    transforms: tuple[str, ...] = ()

    def __init__(self, pixels: Pixels, train: Split, batch_size: int, *, converted: bool) -> None:
        import torch

        stored = pixels.stored(train.images)
        self.images = pixels.inputs(stored, copy=True) if converted else stored
        self.inputs: Callable[[torch.Tensor], torch.Tensor] = _as_they_are if converted else pixels.inputs
        self._last = pixels.channels_last
        self._labels = torch.from_numpy(np.array(train.labels)).to(pixels.device)
        self._batch_size = batch_size

    def batches(self, order: NDArray[np.int64] | None) -> Iterator[Batch]:
        """Images and labels of each batch of ``order``, or of an order of torch's own; ``inputs`` converts them."""
        import torch

        labels = self._labels
        held = self.images.movedim(1, -1) if self._last else self.images  # as they lie in memory
        rows = torch.randperm(len(labels)) if order is None else torch.from_numpy(order)
        for batch in rows.to(labels.device).split(self._batch_size):
            images = held.index_select(0, batch)  # images[batch] takes as long for a byte as for a float
            yield images.movedim(-1, 1) if self._last else images, labels.index_select(0, batch)


class Loader:
    """torchvision's way: image by image through transforms, collated by a ``DataLoader`` in this process."""

    name: Input = "loader"

    def __init__(self, pixels: Pixels, train: Split, batch_size: int, plan: TrainingPlan) -> None:
        import torch

        steps = _transforms(pixels, train, plan)
        self.transforms = tuple(type(step).__name__ for step in steps)
        self.inputs: Callable[[torch.Tensor], torch.Tensor] = _as_they_are
        self._pixels = pixels
        self._data = Pictures(train, steps)
        self._batch_size = batch_size
        self._generator = torch.Generator().manual_seed(plan.seed)  # so that dropout's own is left alone

    def batches(self, order: NDArray[np.int64] | None) -> Iterator[Batch]:
        """Inputs and labels of each batch of ``order``, or of the loader's own shuffle, on the device."""
        device = self._pixels.device
        for images, labels in self._loader(order):
            yield self._pixels.laid_out(images.to(device)), labels.to(device)

    def _loader(self, order: NDArray[np.int64] | None) -> Any:
        from torch.utils.data import DataLoader

        if order is None:
            return DataLoader(self._data, self._batch_size, shuffle=True, generator=self._generator)
        rows, size = order.tolist(), self._batch_size
        batches = [rows[start : start + size] for start in range(0, len(rows), size)]
        return DataLoader(self._data, batch_sampler=batches, generator=self._generator)


class Pictures:
    """A map-style data set like torchvision's own: for each row a transformed image and its label.

    The image is PIL's if PIL supports it (bytes of up to four channels), else a tensor, channels first.
    """

    def __init__(self, train: Split, transforms: list[Callable[[Any], Any]]) -> None:
        from PIL import Image
        from torchvision.transforms import Compose

        # work that does not depend on the row is done here: only reading rows is on the clock
        pictures = _are_pictures(train)
        self._images = train.images[..., 0] if pictures and train.shape[-1] == 1 else train.images
        self._labels: list[int] = train.labels.tolist()
        self._picture: Callable[[Any], Any] = Image.fromarray if pictures else _as_tensor
        self._transform = transforms[0] if len(transforms) == 1 else Compose(transforms)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return self._transform(self._picture(self._images[row])), self._labels[row]


@dataclass(frozen=True, eq=False)
class Scale:
    """A transform that scales stored values; ``ToTensor`` does so only for bytes up to 255, to float32."""

    dtype: torch.dtype
    factor: float

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        return image.to(self.dtype, copy=True).mul_(self.factor)


def _transforms(pixels: Pixels, train: Split, plan: TrainingPlan) -> list[Callable[[Any], Any]]:
    import torch
    from torchvision.transforms import Normalize, PILToTensor, ToTensor

    steps: list[Callable[[Any], Any]] = []
    if _are_pictures(train) and train.scale == 255 and pixels.dtype == torch.float32:
        steps.append(ToTensor())
    else:
        steps += [PILToTensor()] if _are_pictures(train) else []
        steps.append(Scale(pixels.dtype, pixels.factor))
    if plan.mean is not None and plan.std is not None:
        steps.append(Normalize(plan.mean.tolist(), plan.std.tolist()))
    return steps


def _are_pictures(train: Split) -> bool:
    return train.images.dtype == np.uint8 and train.shape[-1] <= PICTURE_CHANNELS


def _as_tensor(image: NDArray[Any]) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(image, -1, 0)))


def _as_they_are(images: torch.Tensor) -> torch.Tensor:
    return images
