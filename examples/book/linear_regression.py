# %% [markdown]
# # Linear regression
#
# A straight line in two variables, found three times: with every step spelled out, with a layer and an optimiser, and
# with too many inputs for the data, where weight decay has to help.

# %%
import os

import freedive as torch
from freedive import d2l, nn

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "3"))
true_w, true_b = torch.tensor([2, -3.4]), 4.2
data = d2l.SyntheticRegressionData(w=true_w, b=true_b)

# %% [markdown]
# **By hand.** Parameters are tensors that ask for gradients; a step moves them against the gradient.

# %%
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
for _ in range(epochs):
    for X, y in data.train_dataloader():
        loss = ((X @ w + b - y) ** 2 / 2).mean()
        loss.backward()
        with torch.no_grad():
            for parameter in (w, b):
                parameter -= 0.03 * parameter.grad
                parameter.grad.zero_()
by_hand = float((true_w - w.detach().reshape(true_w.shape)).abs().max()), float((true_b - b.detach()).abs())

# %% [markdown]
# **With a layer.** The loss has no half here, so the same rate takes steps twice as long.

# %%
model = d2l.LinearRegression(lr=0.03)
d2l.Trainer(max_epochs=epochs, progress=False).fit(model, data)
layer_w, layer_b = model.get_w_b()
with_layer = float((true_w - layer_w.reshape(true_w.shape)).abs().max()), float((true_b - layer_b).abs())

# %% [markdown]
# **Twenty samples of two hundred variables.** Any weights fit them; a penalty on their square keeps them small.


# %%
class ManyInputs(d2l.DataModule):
    """y = 0.05 + 0.01 · (sum of 200 inputs) + noise, 20 samples to learn from and 100 to judge by."""

    def __init__(self) -> None:
        super().__init__()
        self.batch_size = 5
        self.X = torch.randn(120, 200)
        self.y = self.X @ torch.full((200, 1), 0.01) + 0.05 + 0.01 * torch.randn(120, 1)

    def get_dataloader(self, train: bool) -> torch.utils.data.DataLoader:
        """The first 20 rows, or the others."""
        return self.get_tensorloader((self.X, self.y), train, slice(0, 20) if train else slice(20, None))


few = ManyInputs()


def norm_after_training(decay: float) -> float:
    """Half the squared norm of the weights after ten epochs with this much weight decay."""
    torch.manual_seed(1)
    net = nn.Linear(200, 1)
    optimizer = torch.optim.SGD([{"params": net.weight, "weight_decay": decay}, {"params": net.bias}], lr=0.01)
    for _ in range(10):
        for X, y in few.train_dataloader():
            optimizer.zero_grad()
            nn.functional.mse_loss(net(X), y).backward()
            optimizer.step()
    return float((net.weight**2).sum() / 2)


free, decayed = norm_after_training(0), norm_after_training(3)

# %%
print(f"freedive: after {epochs} epochs by hand the error is {by_hand[0]:.4f} in w and {by_hand[1]:.4f} in b")
print(f"freedive: with a layer {with_layer[0]:.4f} in w and {with_layer[1]:.4f} in b")
print(f"freedive: half the squared norm of the weights {free:.4f} without decay, {decayed:.4f} with")
print(
    "the book, roughly: errors of about 0.1 to 0.2 by hand and 0.01 with a layer after 3 epochs; decay shrinks the norm"
)
