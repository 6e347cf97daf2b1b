"""Layers against PyTorch: printed form, names of the state, forward and gradients."""

import numpy as np
import pytest

import freedive as fd
from freedive import nn

# name, arguments, shape of the input
LAYERS = [
    ("Linear", (4, 3), {}, (5, 4)),
    ("Linear", (4, 3), {"bias": False}, (2, 5, 4)),
    ("Identity", (), {}, (2, 3)),
    ("Flatten", (), {}, (2, 3, 4)),
    ("Flatten", (0, 1), {}, (2, 3, 4)),
    ("Unflatten", (1, (2, 3)), {}, (4, 6)),
    ("BatchNorm1d", (4,), {}, (6, 4)),
    ("BatchNorm1d", (4,), {"momentum": None}, (6, 4, 3)),
    ("BatchNorm1d", (4,), {"affine": False, "eps": 1e-3}, (6, 4)),
    ("BatchNorm1d", (4,), {"track_running_stats": False}, (6, 4)),
    ("BatchNorm2d", (3,), {"momentum": 0.3}, (2, 3, 4, 5)),
    ("LayerNorm", (4,), {}, (2, 3, 4)),
    ("LayerNorm", ((3, 4),), {"eps": 1e-3}, (2, 3, 4)),
    ("LayerNorm", (4,), {"elementwise_affine": False}, (2, 4)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    ("GroupNorm", (1, 4), {"affine": False, "eps": 0.1}, (3, 4)),
    ("InstanceNorm1d", (4,), {}, (3, 4, 5)),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, (2, 4, 3, 5)),
    ("InstanceNorm3d", (4,), {}, (4, 2, 3, 2)),
    ("LocalResponseNorm", (3,), {"alpha": 0.5}, (2, 4, 3, 3)),
    ("Unfold", ((2, 3),), {"padding": (1, 0), "stride": 2}, (2, 3, 5, 6)),
    ("Fold", ((5, 4), 2), {"padding": 1, "dilation": 2}, (2, 12, 20)),
    ("Fold", (7, 2), {"stride": 2}, (8, 9)),
    ("PixelShuffle", (2,), {}, (2, 8, 3, 4)),
    ("PixelUnshuffle", (2,), {}, (2, 4, 6)),
    ("ReLU", (), {}, (3, 4)),
    ("ReLU6", (), {}, (3, 4)),
    ("LeakyReLU", (), {}, (3, 4)),
    ("LeakyReLU", (0.3,), {}, (3, 4)),
    ("PReLU", (), {}, (3, 4)),
    ("PReLU", (4,), {"init": 0.1}, (3, 4, 2)),
    ("ELU", (), {}, (3, 4)),
    ("ELU", (0.7,), {}, (3, 4)),
    ("CELU", (0.7,), {}, (3, 4)),
    ("SELU", (), {}, (3, 4)),
    ("GELU", (), {}, (3, 4)),
    ("GELU", ("tanh",), {}, (3, 4)),
    ("SiLU", (), {}, (3, 4)),
    ("Mish", (), {}, (3, 4)),
    ("Sigmoid", (), {}, (3, 4)),
    ("Tanh", (), {}, (3, 4)),
    ("Softplus", (), {}, (3, 4)),
    ("Softplus", (2.0, 1.0), {}, (3, 4)),
    ("Softsign", (), {}, (3, 4)),
    ("LogSigmoid", (), {}, (3, 4)),
    ("Hardtanh", (), {}, (3, 4)),
    ("Hardtanh", (-0.5, 0.2), {}, (3, 4)),
    ("Hardsigmoid", (), {}, (3, 4)),
    ("Hardswish", (), {}, (3, 4)),
    ("Threshold", (0.1, 2.0), {}, (3, 4)),
    ("GLU", (), {}, (3, 4)),
    ("GLU", (0,), {}, (4, 3)),
    ("Tanhshrink", (), {}, (3, 4)),
    ("Hardshrink", (), {}, (3, 4)),
    ("Softshrink", (0.3,), {}, (3, 4)),
    ("Softmax", (1,), {}, (3, 4)),
    ("Softmax", (0,), {}, (3, 4, 2)),
    ("Softmax2d", (), {}, (2, 3, 2, 2)),
    ("LogSoftmax", (-1,), {}, (3, 4)),
    ("Softmin", (1,), {}, (3, 4)),
]


def array(tensor):
    return tensor.detach().numpy()


def ids(case):
    return f"{case[0]}{case[1]}{case[2] or ''}"


def copied(ours, theirs, torch):
    """Gives ours the parameters of theirs."""
    state = {name: fd.tensor(value.numpy()) for name, value in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(state)


@pytest.mark.parametrize("case", LAYERS, ids=ids)
def test_forward_and_gradients(case, torch):
    name, args, options, shape = case
    ours, theirs = getattr(nn, name)(*args, **options), getattr(torch.nn, name)(*args, **options)
    assert repr(ours) == repr(theirs)
    copied(ours, theirs, torch)
    data = (np.random.default_rng(0).standard_normal(shape) * 2).astype(np.float32)
    for mode in (True, True, False):
        ours.train(mode)
        theirs.train(mode)
        x, t = fd.tensor(data).requires_grad_(), torch.tensor(data).requires_grad_()
        out, expected = ours(x), theirs(t)
        np.testing.assert_allclose(array(out), array(expected), rtol=2e-5, atol=2e-6)
        weights = np.random.default_rng(1).standard_normal(out.shape).astype(np.float32)
        ours.zero_grad()
        theirs.zero_grad()
        (out * fd.tensor(weights)).sum().backward()
        (expected * torch.tensor(weights)).sum().backward()
        np.testing.assert_allclose(array(x.grad), array(t.grad), rtol=1e-4, atol=1e-5)
        for (key, p), (_, q) in zip(ours.named_parameters(), theirs.named_parameters()):
            np.testing.assert_allclose(array(p.grad), array(q.grad), rtol=1e-4, atol=1e-5, err_msg=key)
        for (key, p), (_, q) in zip(ours.named_buffers(), theirs.named_buffers()):
            np.testing.assert_allclose(array(p), array(q), rtol=1e-5, atol=1e-6, err_msg=key)


@pytest.mark.parametrize("name", ["ReLU", "ReLU6", "LeakyReLU", "ELU", "CELU", "SELU", "SiLU", "Mish", "Hardtanh",
                                  "Hardsigmoid", "Hardswish"])  # fmt: skip
def test_inplace(name):
    layer = getattr(nn, name)
    x = fd.randn(3, 4)
    expected = array(layer()(x)).copy()
    out = layer(inplace=True)(x)
    np.testing.assert_array_equal(array(x), expected)
    assert out.data_ptr() == x.data_ptr()
    assert "inplace=True" in repr(layer(inplace=True))


LOSSES = [
    ("MSELoss", {}), ("L1Loss", {}), ("HuberLoss", {"delta": 0.5}), ("SmoothL1Loss", {"beta": 0.5}),
    ("BCEWithLogitsLoss", {}),
]  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "options"), LOSSES)
def test_elementwise_losses(name, options, reduction, torch):
    rng = np.random.default_rng(0)
    pred, target = rng.standard_normal((4, 3)).astype(np.float32), rng.random((4, 3)).astype(np.float32)
    compare_loss(torch, name, {**options, "reduction": reduction}, pred, target)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_other_losses(reduction, torch):
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((4, 3)).astype(np.float32)
    soft = rng.random((4, 3)).astype(np.float32)
    soft /= soft.sum(1, keepdims=True)
    log = np.log(soft)
    labels = np.array([0, 2, 1, 2])
    weight = np.array([0.5, 2.0, 1.0], np.float32)
    compare_loss(torch, "BCELoss", {"reduction": reduction}, soft, soft[::-1].copy())
    compare_loss(torch, "KLDivLoss", {"reduction": reduction}, logits, soft)
    compare_loss(torch, "KLDivLoss", {"reduction": reduction, "log_target": True}, logits, log)
    compare_loss(torch, "NLLLoss", {"reduction": reduction}, log, labels)
    compare_loss(torch, "NLLLoss", {"reduction": reduction, "ignore_index": 2}, log, labels, weight)
    compare_loss(torch, "CrossEntropyLoss", {"reduction": reduction}, logits, labels)
    compare_loss(torch, "CrossEntropyLoss", {"reduction": reduction, "label_smoothing": 0.1}, logits, labels, weight)
    compare_loss(torch, "CrossEntropyLoss", {"reduction": reduction, "ignore_index": 2}, logits, labels)
    compare_loss(torch, "CrossEntropyLoss", {"reduction": reduction}, logits, soft)


def test_batchmean(torch):
    rng = np.random.default_rng(0)
    soft = rng.random((4, 3)).astype(np.float32)
    compare_loss(torch, "KLDivLoss", {"reduction": "batchmean"}, rng.standard_normal((4, 3)).astype(np.float32), soft)


def compare_loss(torch, name, options, pred, target, weight=None):
    def run(lib, n):
        more = {} if weight is None else {"weight": lib.tensor(weight)}
        x = lib.tensor(pred).requires_grad_()
        loss = getattr(n, name)(**options, **more)(x, lib.tensor(target))
        loss.sum().backward()
        return array(loss), array(x.grad)

    for ours, theirs in zip(run(fd, nn), run(torch, torch.nn)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=name)


def test_legacy_reduction_arguments():
    assert nn.MSELoss(None, None, "none").reduction == "none"
    assert nn.MSELoss(size_average=False).reduction == "sum"
    assert nn.MSELoss(reduce=False).reduction == "none"
    assert repr(nn.CrossEntropyLoss()) == "CrossEntropyLoss()"
    with pytest.raises(ValueError, match="reduction"):
        nn.MSELoss(reduction="max")


def test_dropout():
    fd.manual_seed(0)
    drop = nn.Dropout(0.25)
    x = fd.ones(200, 200)
    out = array(drop(x))
    assert set(np.unique(out)) == {0.0, np.float32(1 / 0.75)}
    assert abs((out == 0).mean() - 0.25) < 0.02
    drop.eval()
    np.testing.assert_array_equal(array(drop(x)), array(x))
    assert repr(drop) == "Dropout(p=0.25, inplace=False)"
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="probability"):
            nn.Dropout(bad)


@pytest.mark.parametrize(("layer", "shape"), [(nn.Dropout1d, (8, 16, 5)), (nn.Dropout2d, (8, 16, 3, 3))])
def test_channel_dropout(layer, shape):
    fd.manual_seed(0)
    out = array(layer(0.5)(fd.ones(*shape))).reshape(8 * 16, -1)
    assert set(np.unique(out)) == {0.0, 2.0}
    assert (out == out[:, :1]).all()
    with pytest.raises(ValueError):
        layer()(fd.ones(3))


def test_embedding(torch):
    table = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
    index = np.array([[0, 2], [5, 2]])
    ours = nn.Embedding(6, 3, padding_idx=2, _weight=fd.tensor(table))
    theirs = torch.nn.Embedding(6, 3, padding_idx=2, _weight=torch.tensor(table))
    assert repr(ours) == repr(theirs)
    a, b = ours(fd.tensor(index)), theirs(torch.tensor(index))
    np.testing.assert_array_equal(array(a), array(b))
    a.square().sum().backward()
    b.square().sum().backward()
    np.testing.assert_allclose(array(ours.weight.grad), array(theirs.weight.grad), rtol=1e-6)
    ours = nn.Embedding(6, 3, max_norm=0.5, _weight=fd.tensor(table))
    theirs = torch.nn.Embedding(6, 3, max_norm=0.5, _weight=torch.tensor(table))
    ours(fd.tensor(index))
    theirs(torch.tensor(index))
    np.testing.assert_allclose(array(ours.weight), array(theirs.weight), rtol=1e-5)
    fresh = nn.Embedding(100, 50, padding_idx=-1)
    assert fresh.padding_idx == 99 and float(fresh.weight[99].abs().sum()) == 0
    assert abs(array(fresh.weight).std() - 1) < 0.05
    assert not nn.Embedding.from_pretrained(fd.ones(2, 2)).weight.requires_grad
    with pytest.raises(ValueError):
        nn.Embedding(3, 2, padding_idx=3)


@pytest.mark.parametrize(
    ("norm", "shape"), [(nn.BatchNorm1d(3), (3,)), (nn.BatchNorm2d(3), (2, 3)), (nn.BatchNorm1d(3), (2, 3, 4, 5))]
)
def test_batch_norm_dimensions(norm, shape):
    with pytest.raises(ValueError, match="expected"):
        norm(fd.ones(*shape))
    assert int(norm.num_batches_tracked) == 0


def test_linear_initial_values():
    fd.manual_seed(1)
    weight = array(nn.Linear(100, 300).weight)
    assert np.abs(weight).max() <= 0.1 and abs(weight.mean()) < 0.002 and abs(weight.std() - 0.1 / 3**0.5) < 0.001
