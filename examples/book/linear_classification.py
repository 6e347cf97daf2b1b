# %% [markdown]
# # Softmax regression on Fashion-MNIST
#
# One matrix from 784 pixels to ten scores, and the cross-entropy of their softmax. First in plain tensors, then with
# the fused loss that works on scores and never takes the logarithm of a rounded probability.

# %%
import os

import freedive as torch
from freedive import d2l
from freedive.nn import functional as F

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "10"))
data = d2l.FashionMNIST(batch_size=256)

# %% [markdown]
# What one sample costs: minus the logarithm of the probability that its true class was given. Both ways agree.

# %%
scores, labels = torch.randn(4, 10), torch.tensor([3, 1, 4, 1])
exponentials = scores.exp()
probabilities = exponentials / exponentials.sum(1, keepdim=True)
written_out = -probabilities[range(4), labels].log().mean()
print(f"written out {float(written_out):.6f}, fused {float(F.cross_entropy(scores, labels)):.6f}")

# %% [markdown]
# Scores of 1000 overflow the exponential; the fused loss subtracts the largest first.

# %%
huge = scores * 1000
print("written out:", float(-(huge.exp() / huge.exp().sum(1, keepdim=True))[range(4), labels].log().mean()))
print("fused:", round(float(F.cross_entropy(huge, labels)), 1))

# %%
model = d2l.SoftmaxRegression(num_outputs=10, lr=0.1)
trainer = d2l.Trainer(max_epochs=epochs)
trainer.fit(model, data)

# %% [markdown]
# What it takes for what: the most frequent confusion among the test images.

# %%
table = torch.zeros(10, 10)
for X, y in data.val_dataloader():
    with torch.no_grad():
        table.index_put_((y, model(X).argmax(axis=1)), torch.ones(len(y)), accumulate=True)
table.fill_diagonal_(0)
worst = int(table.argmax())
truth, guess = data.text_labels([worst // 10, worst % 10])
print(f"most often wrong: {truth} taken for {guess}, {int(table.max())} times")

# %%
last = trainer.history[-1]
print(f"freedive: validation loss {last['val_loss']:.3f}, accuracy {last['val_acc']:.3f} after {epochs} epochs")
print("the book, roughly: its figure ends near a loss of 0.5 and an accuracy of 0.83 after 10 epochs")
