"""One Python object per tensor: identity, attributes and subclass last as long as anybody holds the tensor."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import freedive as fd


class Tagged(fd.Tensor):
    """A subclass with a method of its own."""

    def tag(self):
        return getattr(self, "note", None)


def tagged(*shape):
    return fd.Tensor._make_subclass(Tagged, fd.ones(*shape), True)


def test_attributes_last_while_the_graph_holds_the_tensor():
    x = tagged(3)
    x.note = "kept"
    where = id(x)
    y = x * 2
    del x
    gc.collect()
    (leaf,) = [n[0].variable for n in y.grad_fn.next_functions if n[0] is not None and hasattr(n[0], "variable")] or [
        None
    ]
    if leaf is None:
        pytest.skip("nodes do not show their variable")
    assert id(leaf) == where
    assert leaf.tag() == "kept"


def test_a_leaf_held_only_by_its_graph_comes_back_as_it_was():
    x = tagged(3)
    x.note = "kept"
    seen = []
    x.register_post_accumulate_grad_hook(lambda t: seen.append((type(t), t.note)))
    y = (x * 2).sum()
    del x
    gc.collect()
    y.backward()
    assert seen == [(Tagged, "kept")]


def test_saved_tensors_are_the_objects_that_were_saved():
    seen = []

    class Keep(fd.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            seen.append(ctx.saved_tensors[0])
            return grad

    x = tagged(2)
    Keep.apply(x).sum().backward()
    assert seen[0] is x


def test_a_gradient_keeps_its_attributes():
    x = fd.ones(3, requires_grad=True)
    x.sum().backward()
    x.grad.note = "mine"
    gc.collect()
    assert x.grad.note == "mine"


def test_a_tensor_dies_with_its_last_reference():
    x = fd.ones(3)
    gone = weakref.ref(x)
    del x
    assert gone() is None


def test_a_cycle_through_an_attribute_is_collected():
    x = fd.ones(3)
    x.self = x
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_a_base_outlives_its_name():
    x = fd.arange(6)
    v = x[2:]
    del x
    gc.collect()
    assert v.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"])
def test_pickle_and_deepcopy(dtype):
    t = fd.tensor([[0, 1, 2], [3, 4, 5]]).to(getattr(fd, dtype))
    for other in (pickle.loads(pickle.dumps(t)), copy.deepcopy(t), copy.copy(t)):
        assert other is not t
        assert other.dtype is t.dtype
        assert fd.equal(other, t)


def test_pickle_and_deepcopy_of_a_view_and_of_requires_grad():
    t = fd.arange(6.0).reshape(2, 3).T
    assert fd.equal(pickle.loads(pickle.dumps(t)), t)
    x = fd.ones(2, requires_grad=True)
    assert pickle.loads(pickle.dumps(x)).requires_grad
    assert copy.deepcopy(x).requires_grad
    with pytest.raises((RuntimeError, TypeError)):
        copy.deepcopy(x * 2)


def test_deepcopy_keeps_sharing_and_gradients():
    x = fd.ones(2, requires_grad=True)
    x.sum().backward()
    a, b = copy.deepcopy([x, x])
    assert a is b
    assert a is not x
    assert a.grad.tolist() == [1.0, 1.0]


def test_hash_and_membership_go_by_identity():
    a, b = fd.ones(2), fd.ones(2)
    assert hash(a) != hash(b)
    assert {a: 1, b: 2}[a] == 1
    assert a in {a}


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3), ()])
def test_empty_and_scalar_tensors(shape):
    t = fd.zeros(shape)
    assert tuple(t.shape) == shape
    assert t.numpy().shape == shape
    assert fd.equal(pickle.loads(pickle.dumps(t)), t)
    assert (t + 1).sum().item() == np.prod(shape)
