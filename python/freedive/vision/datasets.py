"""FashionMNIST and MNIST as torchvision has them: indexable sets of (image, label)."""

from __future__ import annotations

import freedive as fd
from freedive.data.dataset import Dataset, minibatch
from freedive.data.fashion_mnist import FASHION_LABELS, load_fashion_mnist, load_mnist

from .transforms import BYTE_SCALE, ToTensor, steps_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class _ImageSet(Dataset):
    """data: uint8 (n, 28, 28); targets: int64 (n,). Without a transform an image is a uint8 tensor (28, 28)."""

    classes: Sequence[str]
    _load: Any

    def __init__(
        self,
        root: str,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform
        self.data, self.targets = self._load(train, root, download)

    @property
    def class_to_idx(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image, target = self.data[index], int(self.targets[index])
        image = image if self.transform is None else self.transform(image)
        return image, target if self.target_transform is None else self.target_transform(target)

    @property
    def gather(self) -> Callable[[fd.Tensor], list] | None:
        """Whole minibatches, if every transform is one of ours: the usual pair of Resize and ToTensor is one kernel."""
        steps = steps_of(self.transform)
        if steps is None or self.target_transform is not None:
            return None
        size = tuple(self.data.shape[1:])
        steps = [step for step in steps if not step.leaves_alone(size)]
        if steps and type(steps[0]) is ToTensor:
            return lambda rows: [
                _apply(steps[1:], minibatch(self.data, rows, BYTE_SCALE, 0.0, (1, *size))),
                self.targets[rows],
            ]
        return lambda rows: [_apply(steps, self.data[rows]), self.targets[rows]]

    def __repr__(self) -> str:
        split = "Train" if self.train else "Test"
        return f"Dataset {type(self).__name__}\n    Number of datapoints: {len(self)}\n    Split: {split}"


class FashionMNIST(_ImageSet):
    """Fashion-MNIST. root is searched first, then the places that `freedive.data.load_fashion_mnist` names.

    download=True fetches into root what is found nowhere. Raises DataNotFound or DataFileError.
    """

    classes = FASHION_LABELS
    _load = staticmethod(load_fashion_mnist)


class MNIST(_ImageSet):
    """MNIST; see FashionMNIST."""

    classes = (
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    )
    _load = staticmethod(load_mnist)


def _apply(steps: list, images: fd.Tensor) -> fd.Tensor:
    for step in steps:
        images = step.batch(images)
    return images
