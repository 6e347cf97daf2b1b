"""Linear regression data of which the answer is known (Dive into Deep Learning, section 3.3)."""

from __future__ import annotations

import freedive as fd
from freedive.training.data_module import DataModule

from .loader import DataLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class SyntheticRegressionData(DataModule):
    """y = X w + b + noise · N(0, 1) with X ~ N(0, 1): X is (num_train + num_val, len(w)), y is (…, 1).

    The first num_train rows are for training, the rest for validation. w is a tensor or a sequence of numbers.
    Raises ValueError if num_train is below 1 or num_val below 0.
    """

    def __init__(
        self,
        w: fd.Tensor | Sequence[float],
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        if num_train < 1 or num_val < 0:
            raise ValueError(f"SyntheticRegressionData: {num_train} training and {num_val} validation examples")
        w = fd.as_tensor(w)
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = fd.randn(n, len(w))
        self.y = fd.matmul(self.X, w.reshape((-1, 1))) + b + fd.randn(n, 1) * noise

    def get_dataloader(self, train: bool) -> DataLoader:
        """Minibatches (X, y), shuffled for training."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)
