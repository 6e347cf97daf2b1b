"""Convolutions: parity with PyTorch over drawn options, derivatives to the second order, errors."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import freedive as fd
from freedive.testing import isas, use_isa
from parity import assert_parity, gradcheck

F = fd.nn.functional
rng = np.random.default_rng(0)


def normal(*shape, dtype=np.float64):
    return rng.standard_normal(shape).astype(dtype)


@st.composite
def convolutions(draw):
    """(name, arrays, options)"""
    dims, transposed = draw(st.integers(1, 3)), draw(st.booleans())
    number = lambda low, high: draw(st.integers(low, high))
    each = lambda low, high: [number(low, high) for _ in range(dims)]
    groups, inputs, outputs = number(1, 3), number(1, 5), number(1, 20)
    kernel, stride, dilation, padding = each(1, 4), each(1, 3), each(1, 2), each(0, 2)
    extent = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [e + number(0, 4 if dims == 3 else 18) for e in extent]
    options = {"stride": tuple(stride), "dilation": tuple(dilation), "padding": tuple(padding), "groups": groups}
    weight = (groups * outputs, inputs, *kernel)
    if transposed:
        weight = (groups * inputs, outputs, *kernel)
        options["padding"] = tuple(min(p, (e - 1) // 2) for p, e in zip(padding, extent, strict=True))
        options["output_padding"] = tuple(number(0, max(s, d) - 1) for s, d in zip(stride, dilation, strict=True))
    bias = groups * outputs
    arrays = [normal(number(1, 3), groups * inputs, *sizes), normal(*weight), normal(bias)]
    return f"conv{'_transpose' if transposed else ''}{dims}d", arrays, options


def test_parity_with_any_options(torch):
    @settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(convolutions(), st.sampled_from(isas()), st.sampled_from([np.float64, np.float32]))
    def run(drawn, isa, dtype):
        name, arrays, options = drawn
        arrays = [a.astype(dtype) for a in arrays]
        tolerance = 1e-9 if dtype == np.float64 else 2e-3
        with use_isa(isa):
            assert_parity(
                torch,
                lambda *t: getattr(F, name)(*t, **options),
                lambda *t: getattr(torch.nn.functional, name)(*t, **options),
                arrays,
                (0, 1, 2),
                rtol=tolerance,
                atol=tolerance,
            )

    run()


@pytest.mark.filterwarnings("ignore:Using padding")  # torch's
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [(3, 3), (4, 2), (1, 5)])
def test_named_padding(padding, kernel, torch):
    arrays = [normal(2, 3, 9, 10), normal(4, 3, *kernel), normal(4)]
    for dilation in (1, 2):

        def apply(lib, dilation=dilation):
            return lambda *t: lib.nn.functional.conv2d(*t, padding=padding, dilation=dilation)

        assert_parity(torch, apply(fd), apply(torch), arrays, (0, 1, 2), rtol=1e-9, atol=1e-9)


def test_without_a_batch(torch):
    for dims in (1, 2, 3):
        arrays = [normal(3, *(6, 5, 4)[:dims]), normal(4, 3, *(2, 3, 2)[:dims]), normal(4)]
        assert_parity(
            torch,
            getattr(F, f"conv{dims}d"),
            getattr(torch.nn.functional, f"conv{dims}d"),
            arrays,
            (0, 1, 2),
            rtol=1e-9,
            atol=1e-9,
        )


def test_any_layout():
    x, w = fd.tensor(normal(2, 5, 6, 3)).permute(0, 3, 1, 2), fd.tensor(normal(3, 3, 3, 4)).permute(3, 0, 1, 2)
    assert fd.allclose(F.conv2d(x, w), F.conv2d(x.contiguous(), w.contiguous()))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("conv2d", {"padding": 1}),
        ("conv2d", {"stride": 2, "dilation": 2, "padding": 2}),
        ("conv2d", {"groups": 2}),
        ("conv_transpose2d", {"stride": 2, "output_padding": 1}),
    ],
)
def test_gradients_of_gradients(name, options):
    groups = options.get("groups", 1)
    arrays = [normal(2, 2, 5, 4), normal(2, 2 // groups, 2, 3), normal(2)]
    gradcheck(lambda *t: getattr(F, name)(*t, **options), arrays, (0, 1, 2))


def test_only_what_is_wanted_gets_a_gradient():
    x, w, b = fd.rand(1, 2, 5, 5), fd.rand(3, 2, 3, 3), fd.rand(3)
    for wanted in (x, w, b):
        for t in (x, w, b):
            t.requires_grad_(t is wanted)
            t.grad = None
        F.conv2d(x, w, b).sum().backward()
        assert [t.grad is not None for t in (x, w, b)] == [t is wanted for t in (x, w, b)]


def test_half():
    x, w = fd.rand(1, 2, 5, 5), fd.rand(3, 2, 3, 3)
    y = F.conv2d(x.to(fd.bfloat16), w.to(fd.bfloat16))
    assert y.dtype == fd.bfloat16
    assert float((y.float() - F.conv2d(x, w)).abs().max()) < 0.1


def test_empty_batch():
    y = F.conv2d(fd.zeros(0, 2, 5, 5), fd.rand(3, 2, 3, 3).requires_grad_(True), fd.rand(3))
    assert tuple(y.shape) == (0, 3, 3, 3)
    y.sum().backward()


def test_threads_do_not_matter():
    x, w, b = (fd.rand(*s).requires_grad_(True) for s in ((64, 6, 14, 14), (16, 6, 5, 5), (16,)))
    seen = []
    before = fd.get_num_threads()
    try:
        for threads in (1, 2, 3):
            fd.set_num_threads(threads)
            y = F.conv2d(x, w, b)
            seen.append([t.detach().numpy().copy() for t in (y, *fd.autograd.grad((y * y).sum(), [x, w, b]))])
    finally:
        fd.set_num_threads(before)
    for other in seen[1:]:
        for a, c in zip(seen[0], other, strict=True):
            assert (a == c).all()


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "the kernel covers 5 elements but the padded input has 4", lambda x, w: F.conv2d(x, w[..., :1])),
        (ValueError, r"has 2 channels; weight of shape \(2, 2, 5, 2\) in groups expects 4",
         lambda x, w: F.conv2d(x, w[:2, :, :, :2], groups=2)),
        (ValueError, "has 3 output channels; expected a multiple of groups = 2",
         lambda x, w: F.conv2d(x, w, groups=2)),
        (ValueError, r"stride is \(0,\); expected positive", lambda x, w: F.conv2d(x, w, stride=0)),
        (ValueError, r"padding is \(-1,\); expected no negative", lambda x, w: F.conv2d(x, w, padding=-1)),
        (ValueError, "padding has 3 numbers; expected 1 or 2", lambda x, w: F.conv2d(x, w, padding=(1, 1, 1))),
        (ValueError, "padding is 'valide'", lambda x, w: F.conv2d(x, w, padding="valide")),
        (ValueError, "'same' needs a stride of 1", lambda x, w: F.conv2d(x, w, padding="same", stride=2)),
        (ValueError, r"input has shape \(4, 4\); expected \(c, h, w\)", lambda x, w: F.conv2d(x[0, 0], w)),
        (ValueError, r"weight has shape \(3, 2, 5\); expected 4 dimensions", lambda x, w: F.conv2d(x, w[..., 0])),
        (ValueError, r"bias has shape \(2,\); expected \(3,\), one value per output channel",
         lambda x, w: F.conv2d(x, w, fd.ones(2), padding=2)),
        (TypeError, "weight is float64 but input is float32", lambda x, w: F.conv2d(x, w.double())),
        (TypeError, "input is bool; expected a floating dtype", lambda x, w: F.conv2d(x.bool(), w.bool())),
        (ValueError, "output_padding", lambda x, w: F.conv_transpose2d(x, w[:2], output_padding=1)),
        (ValueError, "groups is 0", lambda x, w: F.conv2d(x, w, groups=0)),
    ],
)  # fmt: skip
def test_errors(error, message, call):
    with pytest.raises(error, match=message):
        call(fd.rand(1, 2, 4, 4), fd.rand(3, 2, 5, 5))
