# %% [markdown]
# # Builder's guide
#
# Modules nest, parameters have names, layers may wait for their first input, and all of it can be saved.

# %%
import os
import tempfile

import freedive as torch
from freedive import d2l, nn

torch.manual_seed(0)


# %% [markdown]
# A module of our own: what it holds is found by assignment, what it does is `forward`.


# %%
class Residual(nn.Module):
    """x + f(x): the input goes around a small network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.LazyLinear(width), nn.Tanh(), nn.LazyLinear(width))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """(n, width) to (n, width)."""
        return X + self.inner(X)


shared = nn.Linear(8, 8)
net = nn.Sequential(Residual(8), shared, nn.ReLU(), shared, nn.LazyLinear(1))
print("before the first call:", net[4].weight)
out = net(torch.rand(2, 8))
print("after it:", tuple(net[4].weight.shape), type(net[4]).__name__)

# %% [markdown]
# A layer used twice has one weight; its gradient is the sum of both uses.

# %%
out.sum().backward()
names = [name for name, _ in net.named_parameters()]
print(len(names), "parameters:", names)
print("the shared weight has one gradient:", net[1].weight.grad is net[3].weight.grad)


# %%
def start(module: nn.Module) -> None:
    """Xavier for matrices, zero for biases."""
    if type(module) is nn.Linear:
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


net.apply(start)

# %% [markdown]
# A file of parameters, read into a second network of the same shape.

# %%
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "net.params")
    torch.save(net.state_dict(), file)
    twin_shared = nn.Linear(8, 8)
    twin = nn.Sequential(Residual(8), twin_shared, nn.ReLU(), twin_shared, nn.LazyLinear(1))
    twin.load_state_dict(torch.load(file))
X = torch.rand(16, 8)
difference = float((net(X) - twin(X)).abs().max())
try:
    twin.load_state_dict({"4.weight": torch.zeros(2, 8), "4.extra": torch.zeros(1)})
except RuntimeError as error:
    print("a file that does not fit is refused whole, and told everything at once:", error, sep="\n")

# %%
device = d2l.try_gpu()
print(f"freedive: runs on {device}; a network read back differs by {difference}")
print("the book, roughly: the same outputs, bit for bit")
