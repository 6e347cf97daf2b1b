# %% [markdown]
# # Optimisation algorithms
#
# The same small regression for every algorithm: 1500 measurements of the noise of wings, five inputs. Where the file
# cannot be had, data of the same shape stand in, made with noise that leaves a loss of about 0.24.

# %%
import os

import freedive as torch
from freedive import d2l, nn
from freedive.optim import lr_scheduler

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "4"))


# %% [markdown]
# Gradient descent on a narrow valley: too small a rate crawls, too large a rate bounces, momentum helps.


# %%
def valley(x1: float, x2: float) -> tuple[float, float]:
    """The gradient of 0.1 x1² + 2 x2²."""
    return 0.2 * x1, 4 * x2


def descend(rate: float, momentum: float) -> float:
    """The distance from the bottom after 20 steps."""
    x1, x2, v1, v2 = -5.0, -2.0, 0.0, 0.0
    for _ in range(20):
        g1, g2 = valley(x1, x2)
        v1, v2 = momentum * v1 + g1, momentum * v2 + g2
        x1, x2 = x1 - rate * v1, x2 - rate * v2
    return (x1**2 + x2**2) ** 0.5


for rate, momentum in ((0.1, 0.0), (0.4, 0.0), (0.6, 0.0), (0.4, 0.5)):
    print(f"rate {rate}, momentum {momentum}: {descend(rate, momentum):.4f} from the bottom")


# %%
def measurements() -> tuple[torch.Tensor, torch.Tensor, str]:
    """Inputs [1500, 5], targets [1500, 1], and where they come from."""
    try:
        loader, _ = d2l.get_data_ch11(batch_size=1500)
        X, y = next(iter(loader))
        return X, y.reshape(-1, 1), "airfoil noise"
    except OSError:
        X = torch.randn(1500, 5)
        noise = 0.69 * torch.randn(1500, 1)
        return X, X @ torch.tensor([[-0.6], [-0.4], [-0.5], [0.2], [-0.3]]) + noise, "stand-in data"


X, y, source = measurements()


def final_loss(name: str, **options: float) -> float:
    """Half the mean squared error after training with minibatches of ten."""
    torch.manual_seed(1)
    net = nn.Linear(5, 1)
    nn.init.normal_(net.weight, std=0.01)
    optimizer = getattr(torch.optim, name)(net.parameters(), **options)
    for _ in range(epochs):
        for rows in torch.randperm(1500).split(10):
            optimizer.zero_grad()
            nn.functional.mse_loss(net(X[rows]), y[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        return float(nn.functional.mse_loss(net(X), y) / 2)


losses = {
    "SGD": final_loss("SGD", lr=0.01),
    "SGD, momentum": final_loss("SGD", lr=0.002, momentum=0.9),
    "Adagrad": final_loss("Adagrad", lr=0.1),
    "RMSprop": final_loss("RMSprop", lr=0.01, alpha=0.9),
    "Adadelta": final_loss("Adadelta", rho=0.9),
    "Adam": final_loss("Adam", lr=0.01),
}

# %% [markdown]
# Schedules: what the rate is after 0, 10, 20 and 30 epochs.

# %%
for scheduler_of in (
    lambda optimizer: lr_scheduler.MultiStepLR(optimizer, milestones=[15, 25], gamma=0.5),
    lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, T_max=30),
    lambda optimizer: lr_scheduler.LambdaLR(optimizer, lambda done: (done + 1.0) ** -0.5),
):
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.3)
    scheduler, rates = scheduler_of(optimizer), []
    for _ in range(31):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    print(type(scheduler).__name__, [round(rates[i], 4) for i in (0, 10, 20, 30)])

# %%
print(f"freedive: loss on {source} after {epochs} epochs:", {name: round(loss, 3) for name, loss in losses.items()})
print("the book, roughly: 0.24 to 0.26 for every algorithm")
