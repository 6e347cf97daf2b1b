"""A classifier of the bundled digits, trained by one's own loop: layers, optimiser, schedule, evaluation, saving."""

import freedive as torch
from freedive import nn
from freedive.data import DataLoader, digits_split
from freedive.nn import functional as F

torch.manual_seed(0)
train, val = digits_split()
train_loader, val_loader = DataLoader(train, 32, shuffle=True, seed=0), DataLoader(val, 256)

net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[10, 15], gamma=0.3)


def accuracy() -> float:
    """Share of held-out digits that the network gets right."""
    net.eval()
    with torch.no_grad():
        right = sum(int((net(X).argmax(dim=1) == y).sum()) for X, y in val_loader)
    net.train()
    return right / len(val)


for epoch in range(20):
    for X, y in train_loader:
        loss = F.cross_entropy(net(X), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(f"epoch {epoch + 1}: last loss {float(loss):.4f}, validation accuracy {accuracy():.4f}")

torch.save(net.state_dict(), "digits.params")
