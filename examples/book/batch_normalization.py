# %% [markdown]
# # Batch normalisation
#
# Each feature is shifted and scaled to mean 0 and variance 1 over the minibatch, then given a scale and an offset to
# learn. Training goes faster, and the layer behaves differently when it is not training.

# %%
import os

import freedive as torch
from freedive import d2l, nn

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "10"))

# %% [markdown]
# The layer against the formula.

# %%
X = torch.randn(64, 3, 5, 5) * 4 + 2
layer = nn.BatchNorm2d(3)
mean, var = X.mean(dim=(0, 2, 3), keepdim=True), X.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
formula_error = float((layer(X) - (X - mean) / (var + layer.eps).sqrt()).abs().max())
print("running mean after one batch, at momentum 0.1:", layer.running_mean)


# %%
class NormalLeNet(d2l.Classifier):
    """LeNet with a batch normalisation before every sigmoid."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()

        def block(channels: int) -> tuple[nn.Module, ...]:
            pool = nn.AvgPool2d(kernel_size=2, stride=2)
            return nn.LazyConv2d(channels, kernel_size=5), nn.LazyBatchNorm2d(), nn.Sigmoid(), pool

        def full(width: int) -> tuple[nn.Module, ...]:
            return nn.LazyLinear(width), nn.LazyBatchNorm1d(), nn.Sigmoid()

        self.net = nn.Sequential(*block(6), *block(16), nn.Flatten(), *full(120), *full(84), nn.LazyLinear(10))


data = d2l.FashionMNIST(batch_size=128)
model = NormalLeNet()
model.apply_init([next(iter(data.train_dataloader()))[0]], d2l.init_cnn)
trainer = d2l.Trainer(max_epochs=epochs, num_gpus=1)
trainer.fit(model, data)

# %%
print("learned scales of the first layer:", model.net[1].weight.data)
last = trainer.history[-1]
print(f"freedive: error of the layer {formula_error:.1e}; accuracy {last['val_acc']:.3f} after {epochs} epochs")
print("the book, roughly: its figure ends between 0.8 and 0.9, jumping from epoch to epoch")
