# %% [markdown]
# # Preliminaries: tensors, derivatives, chance
#
# Everything later rests on three things: arrays that compute, a machine that differentiates, and a feeling for how
# much random numbers wander. Run it as a script, or cell by cell in an editor that knows `# %%`.

# %%
import freedive as torch
from freedive.distributions.multinomial import Multinomial

torch.manual_seed(0)

# %% [markdown]
# A table of ages and heights: two columns, one row a person. Means go along axis 0, and broadcasting subtracts them
# from every row at once.

# %%
people = torch.tensor([[31.0, 1.81], [25.0, 1.62], [47.0, 1.70], [19.0, 1.75]])
standard = (people - people.mean(axis=0)) / people.std(axis=0)
print(standard)
print("columns now have mean", standard.mean(axis=0).abs().round(decimals=4), "and variance", standard.var(axis=0))

# %% [markdown]
# Writing through a slice changes the tensor that was sliced; arithmetic makes a new one.

# %%
first = people[0]
first[0] = 32.0
older = people + 1
print("age in the table:", float(people[0, 0]), "in the copy:", float(older[0, 0]))

# %% [markdown]
# The gradient of sum(x³) is 3x². One call to `backward` finds it, however the function was written, loops included.

# %%
x = torch.arange(4.0, requires_grad=True)
(x**3).sum().backward()
print("by the machine:", x.grad, "by hand:", 3 * x.detach() ** 2)


def doubled_until_large(a: torch.Tensor) -> torch.Tensor:
    """a times the power of two that first lifts its size above 1000: a straight line, as seen from a."""
    while a.norm() < 1000:
        a = a * 2
    return a


a = torch.randn(size=(), requires_grad=True)
d = doubled_until_large(a)
d.backward()
slope_error = float((a.grad - d.detach() / a.detach()).abs())

# %% [markdown]
# A fair coin, tossed ten thousand times. The share of heads nears 1/2 like 0.5 / sqrt(n).

# %%
tosses = Multinomial(1, torch.tensor([0.5, 0.5])).sample((10_000,))
shares = tosses.cumsum(dim=0) / torch.arange(1, 10_001).reshape(-1, 1)
for n in (10, 100, 1000, 10_000):
    print(f"after {n:6} tosses: {float(shares[n - 1, 0]):.4f}")

# %%
print(f"freedive: share of heads {float(shares[-1, 0]):.4f}, error of the slope {slope_error:.1e}")
print("the book, roughly: 1/2 within the law of large numbers, and a slope that is exact")
