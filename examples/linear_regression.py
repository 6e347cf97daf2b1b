"""Linear regression by hand: data with a known answer, a loss, a loop that updates the parameters in place."""

import freedive as torch
from freedive import d2l

torch.manual_seed(0)
true_w, true_b = torch.tensor([2, -3.4]), 4.2
data = d2l.SyntheticRegressionData(w=true_w, b=true_b, noise=0.01, num_train=1000, batch_size=32)

w = torch.normal(0, 0.01, (2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.03

for epoch in range(10):
    for X, y in data.train_dataloader():
        loss = ((torch.matmul(X, w) + b - y) ** 2 / 2).mean()
        loss.backward()
        with torch.no_grad():
            for param in (w, b):
                param -= lr * param.grad
                param.grad.zero_()
    print(f"epoch {epoch + 1}: loss {float(loss):.6f}")

error_w, error_b = (true_w - w.detach().reshape(-1)).abs().max(), (true_b - b.detach()).abs()
print(f"error in w {float(error_w):.4f}, in b {float(error_b):.4f}")
