"""Convolution, pooling and padding layers: printing, names, initialisation, laziness."""

import numpy as np
import pytest

import freedive as fd
from freedive import nn, optim


@pytest.mark.parametrize(
    "make",
    [
        lambda nn: nn.Conv2d(1, 6, 5, padding=2),
        lambda nn: nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(4, 2), dilation=(3, 1), groups=2, bias=False),
        lambda nn: nn.Conv2d(3, 3, 3, padding="same", padding_mode="reflect"),
        lambda nn: nn.Conv1d(2, 4, 3),
        lambda nn: nn.Conv3d(2, 4, 3, stride=2),
        lambda nn: nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1),
        lambda nn: nn.ConvTranspose1d(4, 2, 3),
        lambda nn: nn.LazyConv2d(6, 3, padding=1),
        lambda nn: nn.LazyConvTranspose2d(6, 3),
        lambda nn: nn.MaxPool2d(3),
        lambda nn: nn.MaxPool2d((2, 3), padding=(0, 1), stride=(2, 3)),
        lambda nn: nn.MaxPool1d(3, ceil_mode=True),
        lambda nn: nn.AvgPool2d(2, 2),
        lambda nn: nn.AvgPool1d(2),
        lambda nn: nn.AvgPool3d(2),
        lambda nn: nn.AdaptiveAvgPool2d((1, 1)),
        lambda nn: nn.AdaptiveMaxPool1d(3),
        lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"),
        lambda nn: nn.Upsample(size=(4, 5)),
        lambda nn: nn.ZeroPad2d(1),
        lambda nn: nn.ZeroPad2d((1, 2, 3, 4)),
        lambda nn: nn.ConstantPad1d(2, 3.5),
        lambda nn: nn.ReflectionPad2d(1),
        lambda nn: nn.ReplicationPad3d(1),
    ],
)
def test_print_and_names_as_pytorch(make, torch):
    ours, theirs = make(nn), make(torch.nn)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    if "Lazy" not in repr(ours):
        for name, value in theirs.state_dict().items():
            assert tuple(ours.state_dict()[name].shape) == tuple(value.shape)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda nn: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), (2, 2, 6, 5)),
        (lambda nn: nn.Conv2d(2, 3, 4, padding="same", padding_mode="replicate"), (2, 2, 6, 5)),
        (lambda nn: nn.Conv1d(2, 3, 3, padding=2, padding_mode="circular"), (2, 2, 7)),
        (lambda nn: nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1), (2, 2, 4, 5)),
        (lambda nn: nn.Conv3d(2, 3, 2), (2, 4, 4, 4)),
        (lambda nn: nn.ReflectionPad1d(2), (2, 3, 6)),
    ],
)
def test_forward_as_pytorch(make, shape, torch):
    ours, theirs = make(nn), make(torch.nn)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    ours.load_state_dict({k: fd.tensor(v.numpy()) for k, v in theirs.state_dict().items()})
    np.testing.assert_allclose(
        ours(fd.tensor(x)).detach().numpy(), theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_initial_values():
    layer = nn.Conv2d(8, 40, (3, 5))
    bound = (8 * 15) ** -0.5
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    assert abs(weight).max() <= bound and abs(bias).max() <= bound
    assert weight.std() == pytest.approx(bound / 3**0.5, rel=0.03)


@pytest.mark.parametrize(
    ("lazy", "plain", "shape", "weight"),
    [
        (nn.LazyConv1d, nn.Conv1d, (2, 4, 9), (6, 4, 3)),
        (nn.LazyConv2d, nn.Conv2d, (2, 4, 9, 8), (6, 4, 3, 3)),
        (nn.LazyConv2d, nn.Conv2d, (4, 9, 8), (6, 4, 3, 3)),
        (nn.LazyConv3d, nn.Conv3d, (2, 4, 9, 8, 7), (6, 4, 3, 3, 3)),
        (nn.LazyConvTranspose1d, nn.ConvTranspose1d, (2, 4, 9), (4, 6, 3)),
        (nn.LazyConvTranspose2d, nn.ConvTranspose2d, (2, 4, 9, 8), (4, 6, 3, 3)),
        (nn.LazyConvTranspose3d, nn.ConvTranspose3d, (2, 4, 5, 4, 3), (4, 6, 3, 3, 3)),
    ],
)
def test_lazy_layers_become_plain(lazy, plain, shape, weight):
    layer = lazy(6, 3)
    held = layer.weight
    optimizer = optim.SGD(layer.parameters(), lr=0.1)
    layer(fd.rand(*shape)).sum().backward()
    optimizer.step()
    assert type(layer) is plain
    assert layer.weight is held and tuple(held.shape) == weight
    assert layer.in_channels == 4


def test_output_size():
    layer = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1)
    assert tuple(layer(fd.rand(1, 1, 5, 5), output_size=(10, 9)).shape) == (1, 1, 10, 9)
    with pytest.raises(ValueError, match="output_size 12 is out of reach; expected 9 to 10"):
        layer(fd.rand(1, 1, 5, 5), output_size=(12, 9))


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("multiples of groups", lambda: nn.Conv2d(3, 4, 3, groups=2)),
        ("padding_mode is 'zero'", lambda: nn.Conv2d(3, 4, 3, padding_mode="zero")),
        ("padding is 'full'", lambda: nn.Conv2d(3, 4, 3, padding="full")),
        ("'same' needs a stride of 1", lambda: nn.Conv2d(3, 4, 3, padding="same", stride=2)),
        ("groups is 0", lambda: nn.Conv2d(3, 4, 3, groups=0)),
        ("expected 'zeros'", lambda: nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect")),
        ("expected 3 or 4 dimensions", lambda: nn.LazyConv2d(3, 3)(fd.rand(5, 5))),
    ],
)
def test_errors(message, make):
    with pytest.raises(ValueError, match=message):
        make()
