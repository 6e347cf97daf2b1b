"""nn.functional: what no layer wraps, and its errors."""

import numpy as np
import pytest

import freedive as fd
from freedive.nn import functional as F


def array(tensor):
    return tensor.detach().numpy()


def both(torch, name, *arrays, **options):
    """Forward and gradients of one function here and in PyTorch."""

    def run(lib, functional):
        inputs = [lib.tensor(a) for a in arrays]
        leaves = [x.requires_grad_() for x in inputs if x.is_floating_point()]
        out = getattr(functional, name)(*inputs, **options)
        if leaves:
            out.square().sum().backward()
        return [array(out)] + [array(x.grad) for x in leaves]

    for ours, theirs in zip(run(fd, F), run(torch, torch.nn.functional)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=name)


def draw(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_normalize_and_distances(torch):
    both(torch, "normalize", draw(3, 4))
    both(torch, "normalize", draw(3, 4), p=1.0, dim=0)
    a, b = draw(3, 4), draw(6, 4)[3:]
    both(torch, "cosine_similarity", a, b, dim=1)
    both(torch, "pairwise_distance", a, b)


@pytest.mark.parametrize("options", [{}, {"is_causal": True}, {"scale": 0.3}])
def test_attention(torch, options):
    both(torch, "scaled_dot_product_attention", draw(2, 3, 5, 4), draw(2, 3, 5, 4) * 2, draw(2, 3, 5, 6), **options)


def test_attention_mask():
    q, mask = fd.tensor(draw(1, 2, 4)), fd.tensor([[True, False], [True, True]])
    out = F.scaled_dot_product_attention(q, q, q, attn_mask=mask)
    np.testing.assert_allclose(array(out)[0, 0], array(q)[0, 0], rtol=1e-6)
    with pytest.raises(ValueError):
        F.scaled_dot_product_attention(q, q, q, attn_mask=mask, is_causal=True)


PADS = [
    (mode, widths) for mode in ("constant", "reflect", "replicate", "circular") for widths in ((1, 2), (2, 1, 1, 0))
]


@pytest.mark.parametrize(("mode", "widths"), [*PADS, ("constant", (-1, 2, 0, -2)), ("replicate", (-1, 2, 0, 1))])
def test_pad(torch, mode, widths):
    both(torch, "pad", draw(*((2, 3, 5) if len(widths) == 2 else (2, 3, 4, 5))), pad=widths, mode=mode)


def test_pad_value_and_mistakes(torch):
    both(torch, "pad", draw(2, 3), pad=(1, 1, 2, 0), value=3.0)
    x = fd.ones(1, 2, 3)
    for widths, mode in (((1,), "constant"), ((3, 0), "reflect"), ((4, 0), "circular"), ((-2, -2), "constant")):
        with pytest.raises(ValueError, match="pad"):
            F.pad(x, widths, mode)
    with pytest.raises(ValueError, match="mirror"):
        F.pad(x, (1, 1), "mirror")


def test_one_hot():
    labels = fd.tensor([[0, 2], [1, 0]])
    hot = F.one_hot(labels)
    assert hot.dtype == fd.int64 and hot.shape == (2, 2, 3)
    np.testing.assert_array_equal(hot.numpy(), np.eye(3, dtype=int)[labels.numpy()])
    assert F.one_hot(labels, 5).shape == (2, 2, 5)
    assert F.one_hot(fd.empty(0, dtype=fd.int64), 3).shape == (0, 3)
    with pytest.raises(IndexError, match="2 .* 2 classes"):
        F.one_hot(labels, 2)
    with pytest.raises(IndexError, match="-1"):
        F.one_hot(fd.tensor([-1]))
    with pytest.raises(TypeError):
        F.one_hot(fd.tensor([1.0]))


def test_mistakes():
    with pytest.raises(ValueError, match="layer_norm"):
        F.layer_norm(fd.ones(2, 3), (4,))
    with pytest.raises(ValueError, match="glu"):
        F.glu(fd.ones(2, 3))
    with pytest.raises(ValueError, match="prelu"):
        F.prelu(fd.ones(2, 3), fd.ones(2))
    with pytest.raises(ValueError, match="softshrink"):
        F.softshrink(fd.ones(2), -1)


def test_in_place_forms():
    for name in ("relu_", "leaky_relu_", "elu_", "hardtanh_"):
        x = fd.tensor(draw(3, 4))
        expected = array(getattr(F, name[:-1])(x)).copy()
        out = getattr(F, name)(x)
        np.testing.assert_array_equal(array(x), expected)
        assert out.data_ptr() == x.data_ptr()
