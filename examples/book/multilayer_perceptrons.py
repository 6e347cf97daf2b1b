# %% [markdown]
# # Multilayer perceptrons
#
# A layer of rectified sums between pixels and scores; why deep products explode or vanish; dropout.

# %%
import os

import freedive as torch
from freedive import d2l, nn

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "10"))

# %% [markdown]
# Slopes of the three classic activations at a few points. The sigmoid's is at most 1/4: a stack of ten divides a
# gradient by a million or more.

# %%
x = torch.tensor([-4.0, -1.0, 0.0, 1.0, 4.0], requires_grad=True)
for f in (torch.relu, torch.sigmoid, torch.tanh):
    (slope,) = torch.autograd.grad(f(x).sum(), x)
    print(f"{f.__name__:8}", [round(v, 4) for v in slope.tolist()])

# %%
product = torch.eye(4)
for _ in range(100):
    product = product @ torch.normal(0, 1, size=(4, 4))
print(f"the largest entry of a product of 100 random matrices: {float(product.abs().max()):.1e}")

# %% [markdown]
# Dropout keeps the mean: what stays is scaled up by what went.

# %%
dropout = nn.Dropout(0.5)
ones = torch.ones(100_000)
print("mean in training:", round(float(dropout(ones).mean()), 2), "in evaluation:", float(dropout.eval()(ones).mean()))

# %%
data = d2l.FashionMNIST(batch_size=256)
trainer = d2l.Trainer(max_epochs=epochs)
trainer.fit(d2l.MLP(num_outputs=10, num_hiddens=256, lr=0.1), data)
plain = trainer.history[-1]
dropped = d2l.Trainer(max_epochs=epochs)
net = d2l.DropoutMLP(num_outputs=10, num_hiddens_1=256, num_hiddens_2=256, dropout_1=0.5, dropout_2=0.5, lr=0.1)
dropped.fit(net, data)

# %%
print(f"freedive: accuracy {plain['val_acc']:.3f} with one hidden layer after {epochs} epochs")
print(f"freedive: accuracy {dropped.history[-1]['val_acc']:.3f} with two and dropout")
print("the book, roughly: its figures end near 0.85 and 0.84 after 10 epochs")
