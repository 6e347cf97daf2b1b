"""What the workers run: user code, the same for freedive and PyTorch, and NumPy written with care. Loaded by path."""

import importlib

import numpy as np

FILE = __file__


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def add(lib, grad):
    a, b = normal(4), normal(4, seed=1)
    if lib == "numpy":
        return lambda: a + b
    library = importlib.import_module(lib)
    x, y = library.tensor(a, requires_grad=grad), library.tensor(b)
    return lambda: x + y


def linear_regression(lib):
    """Forward, mean squared error, backward and update of X w + b; batch 32, 2 features."""
    X, t = normal(32, 2), normal(32, 1, seed=1)
    if lib == "numpy":
        w, b = np.zeros((2, 1), np.float32), np.zeros(1, np.float32)

        def by_hand():
            d = (X @ w + b - t) * np.float32(2 / 32)
            w[...] -= np.float32(0.01) * (X.T @ d)
            b[...] -= np.float32(0.01) * d.sum(0)

        return by_hand
    library = importlib.import_module(lib)
    net = library.nn.Linear(2, 1)
    optimizer = importlib.import_module(f"{lib}.optim").SGD(net.parameters(), lr=0.01)
    loss_of = library.nn.MSELoss()
    X, t = library.tensor(X), library.tensor(t)

    def step():
        optimizer.zero_grad()
        loss_of(net(X), t).backward()
        optimizer.step()

    return step


def small_net(lib):
    """The gradient of the net in SimpleChains.jl's first example: 24-8-2, tanh, dropout, batch 200."""
    library = importlib.import_module(lib)
    nn = library.nn
    net = nn.Sequential(nn.Linear(24, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))
    X = library.tensor(normal(200, 24))
    y = library.tensor(np.random.default_rng(1).integers(0, 2, 200))
    loss_of = nn.functional.cross_entropy

    def gradient():
        net.zero_grad()
        loss_of(net(X), y).backward()

    return gradient


def mlp(lib, hidden):
    """A user's model and optimizer."""
    library = importlib.import_module(lib)
    nn = library.nn
    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(hidden), nn.ReLU(), nn.LazyLinear(10))
    net(library.zeros(1, 28, 28))
    optimizer = importlib.import_module(f"{lib}.optim").SGD(net.parameters(), lr=0.1)
    loss_of = nn.functional.cross_entropy

    def step(X, y):
        optimizer.zero_grad()
        loss_of(net(X), y).backward()
        optimizer.step()

    return library, step


class NumpyMLP:
    """784-hidden-10 with ReLU and softmax cross-entropy; every buffer is reused."""

    def __init__(self, batch, hidden):
        self.w1, self.b1 = normal(784, hidden) * np.float32(0.05), np.zeros(hidden, np.float32)
        self.w2, self.b2 = normal(hidden, 10, seed=1) * np.float32(0.05), np.zeros(10, np.float32)
        self.h, self.z = np.empty((batch, hidden), np.float32), np.empty((batch, 10), np.float32)
        self.gh, self.g1, self.g2 = np.empty_like(self.h), np.empty_like(self.w1), np.empty_like(self.w2)
        self.at = np.arange(batch)
        self.lr = np.float32(0.1)

    def step(self, X, y):
        n = len(X)
        h, z, gh = self.h[:n], self.z[:n], self.gh[:n]
        np.matmul(X, self.w1, out=h)
        h += self.b1
        np.maximum(h, 0, out=h)
        np.matmul(h, self.w2, out=z)
        z += self.b2
        z -= z.max(1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(1, keepdims=True)
        z[self.at[:n], y] -= 1
        z *= np.float32(1 / n)
        np.matmul(z, self.w2.T, out=gh)
        gh *= h > 0
        np.matmul(h.T, z, out=self.g2)
        np.matmul(X.T, gh, out=self.g1)
        self.g1 *= self.lr
        self.g2 *= self.lr
        self.w1 -= self.g1
        self.b1 -= self.lr * gh.sum(0)
        self.w2 -= self.g2
        self.b2 -= self.lr * z.sum(0)


def mlp_step(lib, batch, hidden):
    X, y = normal(batch, 28, 28), np.random.default_rng(1).integers(0, 10, batch)
    if lib == "numpy":
        model, flat = NumpyMLP(batch, hidden), X.reshape(batch, 784)
        return lambda: model.step(flat, y)
    library, step = mlp(lib, hidden)
    X, y = library.tensor(X), library.tensor(y)
    return lambda: step(X, y)


def lenet_step(lib, batch):
    """One step of the book's LeNet (7.6) on images of 28 x 28."""
    if lib == "numpy":
        return None
    library = importlib.import_module(lib)
    nn = library.nn
    net = nn.Sequential(
        *(nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2)),
        *(nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )
    optimizer = importlib.import_module(f"{lib}.optim").SGD(net.parameters(), lr=0.1)
    X = library.tensor(normal(batch, 1, 28, 28))
    y = library.tensor(np.random.default_rng(1).integers(0, 10, batch))

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(X), y).backward()
        optimizer.step()

    return step


def mlp_epoch(lib, examples, batch, hidden):
    """Every image once, in random order, from uint8 in memory; contents do not matter for the time."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (examples, 28, 28), dtype=np.uint8)
    labels = rng.integers(0, 10, examples)
    if lib == "numpy":
        model, flat, scale = NumpyMLP(batch, hidden), images.reshape(examples, 784), np.float32(1 / 255)

        def by_hand():
            order = rng.permutation(examples)
            for i in range(0, examples, batch):
                rows = order[i : i + batch]
                model.step(flat[rows] * scale, labels[rows])

        return by_hand
    library, step = mlp(lib, hidden)
    images, labels = library.tensor(images), library.tensor(labels)
    if lib == "torch":

        def batch_of(rows):
            return images[rows].float().div_(255)
    else:

        def batch_of(rows):
            return library.minibatch(images, rows, 1 / 255, 0.0, library.float32)

    def epoch():
        order = library.randperm(examples)
        for i in range(0, examples, batch):
            rows = order[i : i + batch]
            step(batch_of(rows), labels[rows])

    return epoch
