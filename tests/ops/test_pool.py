"""Pooling and resampling: parity with PyTorch over drawn options, derivatives, errors."""

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
def poolings(draw):
    """(name, array, options)"""
    dims, maximum = draw(st.integers(1, 3)), draw(st.booleans())
    number = lambda low, high: draw(st.integers(low, high))
    kernel = [number(1, 4) for _ in range(dims)]
    padding = [number(0, k // 2) for k in kernel]
    options = {"kernel_size": tuple(kernel), "padding": tuple(padding), "ceil_mode": draw(st.booleans())}
    dilation = [1] * dims
    if draw(st.booleans()):
        options["stride"] = tuple(number(1, 3) for _ in range(dims))
    if maximum:
        dilation = [number(1, 2) for _ in range(dims)]
        options["dilation"] = tuple(dilation)
    else:
        options["count_include_pad"] = draw(st.booleans())
        if dims > 1 and draw(st.booleans()):
            options["divisor_override"] = number(1, 9)
    sizes = [d * (k - 1) + 1 + number(0, 6 if dims == 3 else 40) for k, d in zip(kernel, dilation, strict=True)]
    return f"{'max' if maximum else 'avg'}_pool{dims}d", normal(number(1, 3), number(1, 3), *sizes), options


def test_parity_with_any_options(torch):
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(poolings(), st.sampled_from(isas()), st.sampled_from([np.float64, np.float32]))
    def run(drawn, isa, dtype):
        name, x, options = drawn

        def apply(lib):
            return lambda t: getattr(lib.nn.functional, name)(t, **options)

        tolerance = 1e-12 if dtype == np.float64 else 1e-5
        with use_isa(isa):
            assert_parity(torch, apply(fd), apply(torch), [x.astype(dtype)], rtol=tolerance, atol=tolerance)

    run()


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_indices(dims, torch):
    for dtype in (np.float32, np.float64):
        x = normal(2, 3, *(9, 8, 40)[-dims:], dtype=dtype)
        x.reshape(-1)[::7] = 1  # equals
        x.reshape(-1)[::31] = np.nan
        for options in ({"kernel_size": 2}, {"kernel_size": 3, "stride": 2, "padding": 1}):
            ours = getattr(F, f"max_pool{dims}d")(fd.tensor(x), **options, return_indices=True)
            theirs = getattr(torch.nn.functional, f"max_pool{dims}d")(torch.tensor(x), **options, return_indices=True)
            np.testing.assert_array_equal(ours[0].numpy(), theirs[0].numpy())
            np.testing.assert_array_equal(ours[1].numpy(), theirs[1].numpy())


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("size", [1, (2, 3), (None, 4), (7, 11), (12, 20)])
def test_adaptive(kind, size, torch):
    def apply(lib):
        return lambda t: getattr(lib.nn.functional, f"adaptive_{kind}_pool2d")(t, size)

    assert_parity(torch, apply(fd), apply(torch), [normal(2, 3, 7, 11)], rtol=1e-12, atol=1e-12)
    for dims, name in ((1, f"adaptive_{kind}_pool1d"), (3, f"adaptive_{kind}_pool3d")):
        x = normal(2, 3, *(9, 4, 5)[:dims])
        assert_parity(
            torch,
            lambda t, name=name: getattr(F, name)(t, 3),
            lambda t, name=name: getattr(torch.nn.functional, name)(t, 3),
            [x],
            rtol=1e-12,
            atol=1e-12,
        )


def test_without_a_batch(torch):
    x = normal(3, 8, 9)
    for name, args in (("max_pool2d", (2,)), ("avg_pool2d", (3, 2)), ("adaptive_avg_pool2d", (2,))):
        assert_parity(
            torch,
            lambda t, n=name, a=args: getattr(F, n)(t, *a),
            lambda t, n=name, a=args: getattr(torch.nn.functional, n)(t, *a),
            [x],
            rtol=1e-12,
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, 2),
        lambda x: F.avg_pool2d(x, 3, 1, 1),
        lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
        lambda x: F.adaptive_max_pool2d(x, 2),
    ],
)
def test_gradients_of_gradients(call):
    gradcheck(lambda x: call(x) ** 2, [rng.permutation(60).reshape(1, 2, 5, 6) * 0.1])


def test_half():
    x = fd.rand(1, 2, 6, 6).to(fd.float16)
    assert F.max_pool2d(x, 2).dtype == F.avg_pool2d(x, 2).dtype == fd.float16


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("padding .* is more than half of kernel_size", lambda x: F.max_pool2d(x, 2, padding=2)),
        ("the kernel covers 9 elements but the padded input has 6", lambda x: F.avg_pool2d(x, 9)),
        ("kernel_size is .*; expected positive numbers", lambda x: F.max_pool2d(x, 0)),
        (r"input has shape \(6, 6\); expected \(c, h, w\)", lambda x: F.max_pool2d(x[0, 0], 2)),
        ("divisor_override is 0", lambda x: F.avg_pool2d(x, 2, divisor_override=0)),
        ("output_size has 3 numbers; expected 1 or 2", lambda x: F.adaptive_avg_pool2d(x, (1, 2, 3))),
        ("expected no negative number", lambda x: F.adaptive_avg_pool2d(x, -1)),
    ],
)
def test_errors(message, call):
    with pytest.raises(ValueError, match=message):
        call(fd.rand(1, 2, 6, 6))


# ----------------------------------------------------------------------------------------------------- resampling


@pytest.mark.parametrize(
    ("mode", "dims"),
    [("nearest", 1), ("nearest", 2), ("nearest", 3), ("nearest-exact", 2), ("linear", 1), ("bilinear", 2),
     ("bicubic", 2), ("trilinear", 3), ("area", 2)],
)  # fmt: skip
def test_interpolate(mode, dims, torch):
    x = normal(2, 3, *(5, 4, 6)[:dims])
    choices = [{"size": 7}, {"size": (3, 9, 5)[:dims]}, {"scale_factor": 2.0}, {"scale_factor": 0.6}]
    choices += [{"scale_factor": 1.7, "recompute_scale_factor": True}]
    if mode.endswith(("linear", "cubic")):
        choices += [{**c, "align_corners": True} for c in choices]

    def apply(lib, options):
        return lambda t: lib.nn.functional.interpolate(t, mode=mode, **options)

    for options in choices:
        assert_parity(torch, apply(fd, options), apply(torch, options), [x], rtol=1e-9, atol=1e-9)


def test_interpolate_errors():
    x = fd.rand(1, 2, 4, 4)
    for options in (
        {},
        {"size": 3, "scale_factor": 2},
        {"size": 3, "mode": "linear"},
        {"size": 3, "mode": "cube"},
        {"size": 3, "align_corners": True},
        {"size": (1, 2, 3)},
        {"size": 0},
    ):
        with pytest.raises(ValueError, match="interpolate:"):
            F.interpolate(x, **options)
