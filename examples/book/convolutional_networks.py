# %% [markdown]
# # Convolutional networks
#
# A kernel that finds edges is learned from examples; then LeNet looks at clothes.

# %%
import os

import freedive as torch
from freedive import d2l, nn
from freedive.nn import functional as F

torch.manual_seed(0)
epochs = int(os.environ.get("FREEDIVE_EPOCHS", "10"))

# %% [markdown]
# A white field with a black stripe, and what the kernel (1, -1) makes of it: 1 where white turns black, -1 where it
# turns back. Gradient descent finds the kernel from these two pictures alone.

# %%
picture = torch.ones(1, 1, 6, 8)
picture[..., 2:6] = 0
edges = F.conv2d(picture, torch.tensor([[[[1.0, -1.0]]]]))
conv = nn.LazyConv2d(1, kernel_size=(1, 2), bias=False)
conv(picture)
optimizer = torch.optim.SGD(conv.parameters(), lr=0.03)
for _ in range(20):
    loss = ((conv(picture) - edges) ** 2).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
kernel_error = float((conv.weight.data - torch.tensor([1.0, -1.0])).abs().max())
print("learned kernel:", conv.weight.data.reshape(-1))

# %% [markdown]
# Sizes: padding adds, kernels take away, strides divide, pooling summarises.

# %%
X = torch.rand(1, 1, 8, 8)
for layer in (
    nn.LazyConv2d(4, kernel_size=3),
    nn.LazyConv2d(4, kernel_size=3, padding=1),
    nn.LazyConv2d(4, kernel_size=3, padding=1, stride=2),
    nn.MaxPool2d(2),
    nn.AvgPool2d(3, stride=2, padding=1),
):
    print(tuple(layer(X).shape), layer)


# %%
class LeNet(d2l.Classifier):
    """Two convolutions with pooling and three full layers, with the sigmoids of 1998."""

    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            *(nn.LazyConv2d(6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2)),
            *(nn.LazyConv2d(16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2)),
            *(nn.Flatten(), nn.LazyLinear(120), nn.Sigmoid(), nn.LazyLinear(84), nn.Sigmoid(), nn.LazyLinear(10)),
        )


data = d2l.FashionMNIST(batch_size=128)
model = LeNet()
model.apply_init([next(iter(data.train_dataloader()))[0]], d2l.init_cnn)
trainer = d2l.Trainer(max_epochs=epochs, num_gpus=1)
trainer.fit(model, data)

# %%
print(
    f"freedive: kernel found to {kernel_error:.3f}; accuracy {trainer.history[-1]['val_acc']:.3f} after {epochs} epochs"
)
print("the book, roughly: the kernel to about 0.1 after 10 steps; LeNet still rises after 10 epochs, from above 0.7")
