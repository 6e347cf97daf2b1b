"""Everything that is generated from the Cases: NumPy, gradients, instruction sets, shapes, layouts, PyTorch."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import freedive as fd
from freedive.testing import all_cases, assert_close, isas, use_isa
from freedive.testing.checks import LAYOUTS, across_isas, against_differences, against_numpy

CASES = all_cases()
# 0 and 1, and what lies around the widths of vectors and of unrolled loops.
EDGES = (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65)
EXAMPLES = 12

every_case = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def test_names_are_unique():
    names = [c.name for c in CASES]
    assert len(set(names)) == len(names)


@every_case
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_isa_gives_what_numpy_gives(case, dtype):
    if dtype not in case.dtypes:
        pytest.skip("the case has no such dtype")
    across_isas(case, case.arrays(dtype))


@every_case
def test_layout_does_not_matter(case):
    for layout in LAYOUTS:
        against_numpy(case, case.arrays(case.dtypes[0]), layout)


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable], ids=lambda c: c.name)
def test_gradients(case):
    against_differences(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.differentiable and not c.twice], ids=lambda c: c.name)
def test_a_second_derivative_that_does_not_exist_is_refused(case):
    tensors = [
        fd.tensor(a).requires_grad_(item.differentiable)
        for a, item in zip(case.arrays("float64"), case.inputs, strict=True)
    ]
    out = case.run(fd, *tensors)
    total = sum(t.sum() for t in (out if isinstance(out, (tuple, list)) else [out]) if t.dtype.is_floating_point)
    with pytest.raises(fd.GradError, match="second derivative"):
        fd.autograd.grad(total, [t for t in tensors if t.requires_grad], create_graph=True)


@st.composite
def sizes_of(draw, case):
    sizes = draw(
        st.fixed_dictionaries({s: st.sampled_from([e for e in EDGES if e >= case.least]) for s in case.symbols()})
    )
    while np.prod([max(s, 1) for s in sizes.values()]) > 60_000:  # keep the test quick
        largest = max(sizes, key=sizes.get)
        sizes[largest] = max(3, case.least)
    return sizes


@st.composite
def broadcast_shapes(draw, case):
    """Shapes that go together: some sizes become 1, some leading dims vanish."""
    full = [draw(st.sampled_from(EDGES)) for _ in range(draw(st.integers(0, 3)))]
    shapes = []
    for _ in case.inputs:
        kept = [draw(st.sampled_from([s, s, 1])) for s in full]
        shapes.append(tuple(kept[draw(st.integers(0, len(kept))) if draw(st.booleans()) else 0 :]))
    return tuple(shapes)


@every_case
def test_any_sizes(case):
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(
        sizes_of(case),
        st.sampled_from(case.dtypes),
        st.sampled_from(LAYOUTS),
        st.sampled_from(isas()),
        st.integers(0, 9),
    )
    def run(sizes, dtype, layout, isa, seed):
        with use_isa(isa):
            against_numpy(case, case.arrays(dtype, sizes=sizes, seed=seed), layout)

    run()


@pytest.mark.parametrize("case", [c for c in CASES if c.broadcasts], ids=lambda c: c.name)
def test_any_shapes_that_broadcast(case):
    @settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(broadcast_shapes(case), st.sampled_from(case.dtypes), st.sampled_from(LAYOUTS), st.sampled_from(isas()))
    def run(shapes, dtype, layout, isa):
        if np.prod(np.broadcast_shapes(*shapes)) <= 60_000:
            with use_isa(isa):
                against_numpy(case, case.arrays(dtype, shapes=shapes), layout)

    run()


def values_and_gradients(lib, case, arrays):
    tensors = [lib.tensor(a) for a in arrays]
    for t, item in zip(tensors, case.inputs, strict=True):
        t.requires_grad_(case.differentiable and item.differentiable)
    out = case.run(lib, *tensors)
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    total = sum((t * t).sum() for t in out if t.dtype.is_floating_point and t.requires_grad)
    leaves = [t for t in tensors if t.requires_grad]
    return out, list(lib.autograd.grad(total, leaves, allow_unused=True)) if leaves else []


# Where PyTorch itself is further from the truth in float64: its slope of hardsigmoid is 1/6 rounded to float32.
PYTORCH_ERROR = {"hardsigmoid": 2e-8}


@every_case
def test_pytorch_agrees(case, torch):
    arrays = case.arrays("float64" if "float64" in case.dtypes else "float32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, their_grads = values_and_gradients(torch, case, arrays)
    ours, grads = values_and_gradients(fd, case, arrays)
    for got, want in zip(ours + grads, theirs + their_grads, strict=True):
        assert (got is None) == (want is None)
        if want is not None:
            apart = PYTORCH_ERROR.get(case.name, 1e-9)
            assert_close(got, want.detach().numpy(), rtol=apart, atol=apart, what=case.name)
