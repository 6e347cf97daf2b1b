"""The book's classes with all that keeps a long run safe: checkpoint, resume, early stopping, log and picture.

Stop it with Ctrl-C and start it again: it goes on where it was.
"""

import os

import freedive as torch
from freedive import d2l, nn
from freedive.training import EarlyStopping

OUT = "runs/example"


class Net(d2l.Classifier):
    """Two hidden layers with batch normalisation and dropout."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        hidden = [nn.LazyLinear(256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.3), nn.LazyLinear(128), nn.ReLU()]
        self.net = nn.Sequential(nn.Flatten(), *hidden, nn.LazyLinear(10))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.lr)


torch.manual_seed(0)
trainer = d2l.Trainer(
    max_epochs=8,
    checkpoint=os.path.join(OUT, "checkpoint.safetensors"),
    checkpoint_every=100,
    resume=True,
    log=os.path.join(OUT, "loss.csv"),
    picture=os.path.join(OUT, "curve.png"),
    callbacks=[EarlyStopping("val_acc", patience=4, mode="max")],
)
trainer.fit(Net(lr=1e-3), d2l.FashionMNIST(batch_size=256))
print(f"best validation accuracy {max(row['val_acc'] for row in trainer.history):.4f}")
