"""Data modules of images: Fashion-MNIST (Dive into Deep Learning, section 4.2) and the bundled digits."""

from __future__ import annotations

from freedive.data.digits import digits_split
from freedive.data.fashion_mnist import FASHION_LABELS
from freedive.data.loader import DataLoader
from freedive.vision import datasets, transforms

from .data_module import DataModule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    import freedive as fd


class FashionMNIST(DataModule):
    """60,000 training and 10,000 test images of clothes in ten classes, as float32 (1, *resize) in 0…1.

    root: a folder that is searched first, and that a download goes to.
    """

    def __init__(
        self, batch_size: int = 64, resize: tuple[int, int] = (28, 28), root: str = "../data", num_workers: int = 4
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        trans = transforms.Compose([transforms.Resize(resize), transforms.ToTensor()])
        self.train = datasets.FashionMNIST(root=self.root, train=True, transform=trans, download=True)
        self.val = datasets.FashionMNIST(root=self.root, train=False, transform=trans, download=True)

    def text_labels(self, indices: Sequence[int] | fd.Tensor) -> list[str]:
        """The classes' names."""
        labels = [name.lower().replace("t-shirt/top", "t-shirt") for name in FASHION_LABELS]
        return [labels[int(i)] for i in indices]

    def get_dataloader(self, train: bool) -> DataLoader:
        """Minibatches (images, labels), shuffled for training."""
        data = self.train if train else self.val
        return DataLoader(data, self.batch_size, shuffle=train, num_workers=self.num_workers)

    def visualize(self, batch: Sequence[fd.Tensor], nrows: int = 1, ncols: int = 8, labels: Sequence[str] = ()) -> Any:
        """Show the first images of a batch with their classes' names as titles."""
        from freedive.d2l import show_images

        X, y = batch
        return show_images(X.squeeze(1), nrows, ncols, titles=labels or self.text_labels(y))


class Digits(DataModule):
    """The bundled 8×8 digits: 1,438 training and 359 validation images, float32 (1, 8, 8) in 0…1."""

    def __init__(self, batch_size: int = 32) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.train, self.val = digits_split()

    def get_dataloader(self, train: bool) -> DataLoader:
        """Minibatches (images, labels), shuffled for training."""
        return DataLoader(self.train if train else self.val, self.batch_size, shuffle=train)
