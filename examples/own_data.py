"""Data of one's own: NumPy arrays through TensorDataset, and a Dataset that makes each sample when it is asked for."""

import numpy as np

import freedive as torch
from freedive import d2l
from freedive.data import DataLoader, Dataset, TensorDataset, random_split

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, (600, 1)).astype(np.float32)
y = np.sin(x) + 0.1 * rng.standard_normal((600, 1), dtype=np.float32)


class Curve(d2l.DataModule):
    """The arrays, cut at random into training and validation data."""

    def __init__(self, batch_size: int = 50) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.parts = random_split(TensorDataset(x, y), [0.8, 0.2])

    def get_dataloader(self, train: bool) -> DataLoader:
        return DataLoader(
            self.parts[0 if train else 1], self.batch_size, shuffle=train, last="fill" if train else "keep"
        )


class Fit(d2l.Module):
    """A small network for a curve."""

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Sequential(torch.nn.LazyLinear(32), torch.nn.Tanh(), torch.nn.LazyLinear(1))

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.mse_loss(y_hat, y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.lr)


torch.manual_seed(0)
trainer = d2l.Trainer(max_epochs=60, gradient_clip_val=1)
trainer.fit(Fit(lr=0.02), Curve())


class Endless(Dataset):
    """Ten thousand noisy sines that are nowhere stored; a background thread makes them while others are used."""

    def __len__(self) -> int:
        return 10_000

    def __getitem__(self, index: int) -> np.ndarray:
        return np.sin(np.linspace(0, 6, 20, dtype=np.float32) + index)


batch = next(iter(DataLoader(Endless(), 64, shuffle=True, num_workers=1)))
print("a batch of curves:", tuple(batch.shape))
