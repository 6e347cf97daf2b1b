"""Functions with a backward of their own."""

import gc
import weakref

import pytest

import freedive as fd
from freedive.testing import gradcheck, gradgradcheck


def leaf(*values):
    return fd.tensor(values or (1.0, 2.0, 3.0), dtype=fd.float64, requires_grad=True)


class Cube(fd.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


def test_gradients_of_both_orders():
    assert gradcheck(Cube.apply, leaf())
    assert gradgradcheck(Cube.apply, leaf())


def test_a_saved_tensor_that_changed_is_refused():
    x = leaf()
    y = x * 1
    z = Cube.apply(y)
    y.add_(1)
    with pytest.raises(fd.GradError, match="changed in place"):
        z.sum().backward()


def test_saved_tensors_are_freed():
    x = leaf()
    z = Cube.apply(x).sum()
    z.backward()
    with pytest.raises(fd.GradError, match="retain_graph=True"):
        z.backward()


class Both(fd.autograd.Function):
    @staticmethod
    def forward(ctx, a, b, scale):
        ctx.scale = scale
        return a * scale, b + a, "not a tensor"

    @staticmethod
    def backward(ctx, ga, gb, _):
        return ga * ctx.scale + gb, gb, None


def test_several_outputs_and_arguments_that_are_no_tensors():
    a, b = leaf(), leaf()
    x, y, word = Both.apply(a, b, 4.0)
    assert word == "not a tensor"
    (x * 2 + y).sum().backward()
    assert a.grad.tolist() == [9.0] * 3
    assert b.grad.tolist() == [1.0] * 3


def test_an_output_that_was_not_used_arrives_as_zeros():
    a, b = leaf(), leaf()
    Both.apply(a, b, 4.0)[0].sum().backward()
    assert a.grad.tolist() == [4.0] * 3
    assert b.grad.tolist() == [0.0] * 3


def test_an_output_that_was_not_used_arrives_as_none_if_asked():
    seen = []

    class Raw(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a is None, b is None))
            return b

    Raw.apply(leaf())[1].sum().backward()
    assert seen == [(True, False)]


def test_none_gradients():
    class Stop(fd.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, grad):
            return None, grad

    a, b = leaf(), leaf()
    Stop.apply(a, b).sum().backward()
    assert a.grad is None
    assert b.grad.tolist() == [1.0] * 3


def test_needs_input_grad():
    seen = []

    class Look(fd.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a * b

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.needs_input_grad)
            return grad, None

    Look.apply(leaf(), fd.ones(3, dtype=fd.float64)).sum().backward()
    assert seen == [(True, False)]


def test_mark_dirty():
    class AddOne(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.add_(1)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 7

    x = leaf()
    y = x * 1
    z = AddOne.apply(y)
    assert z is y
    z.sum().backward()
    assert x.grad.tolist() == [7.0] * 3


def test_an_input_returned_as_it_came():
    class Same(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, grad):
            return grad * 2

    x = leaf()
    y = Same.apply(x)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_wrong_number_of_gradients_is_named():
    class Wrong(fd.autograd.Function):
        @staticmethod
        def forward(ctx, a, b):
            return a + b

        @staticmethod
        def backward(ctx, grad):
            return grad

    with pytest.raises((fd.GradError, ValueError), match="Wrong"):
        Wrong.apply(leaf(), leaf()).sum().backward()


def test_an_exception_in_backward_reaches_the_caller():
    class Broken(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        Broken.apply(leaf()).sum().backward()


def test_nothing_is_recorded_without_grad():
    with fd.no_grad():
        assert not Cube.apply(leaf()).requires_grad
    assert not Cube.apply(fd.ones(3)).requires_grad


class KeepsItsOutput(fd.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0]


def test_a_function_that_saves_its_output_is_collected():
    y = KeepsItsOutput.apply(leaf())  # y -> node -> ctx -> y
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


def test_a_cycle_through_the_context_is_collected():
    class Holder:
        pass

    holder = Holder()

    class Keeps(Cube):
        @staticmethod
        def forward(ctx, x, kept):
            ctx.kept = kept
            return Cube.forward(ctx, x)

    holder.output = Keeps.apply(leaf(), holder)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
