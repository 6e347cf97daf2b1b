"""Hooks on tensors, retain_grad, and when they go away."""

import gc
import weakref

import pytest

import freedive as fd


def leaf(*values):
    return fd.tensor(values or (1.0, 2.0, 3.0), dtype=fd.float64, requires_grad=True)


def test_hooks_run_in_the_order_they_were_registered():
    x, seen = leaf(), []
    y = x * 2
    for name in "abc":
        y.register_hook(lambda g, name=name: seen.append(name))
    y.sum().backward()
    assert seen == ["a", "b", "c"]


def test_a_hook_replaces_the_gradient_for_the_next_one():
    x = leaf()
    y = x * 2
    y.register_hook(lambda g: g * 3)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    assert x.grad.tolist() == [8.0, 8.0, 8.0]


def test_a_hook_of_a_leaf_changes_what_is_accumulated():
    x = leaf()
    x.register_hook(lambda g: g * 10)
    x.sum().backward()
    x.sum().backward()
    assert x.grad.tolist() == [20.0, 20.0, 20.0]


def test_a_hook_of_a_leaf_sees_the_sum_of_all_paths_once():
    x, seen = leaf(), []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * 2 + x * 3).sum().backward()
    assert seen == [[5.0, 5.0, 5.0]]


def test_a_removed_hook_does_not_run():
    x, seen = leaf(), []
    y = x * 2
    handle = y.register_hook(lambda g: seen.append("first"))
    y.register_hook(lambda g: seen.append("second"))
    handle.remove()
    handle.remove()
    y.sum().backward()
    assert seen == ["second"]


def test_a_handle_is_a_context_manager():
    x, seen = leaf(), []
    with x.register_hook(lambda g: seen.append(1)):
        x.sum().backward()
    x.sum().backward()
    assert seen == [1]


def test_post_accumulate_hook_sees_the_finished_gradient():
    x, seen = leaf(), []
    x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    (x * 2).sum().backward()
    (x * 2).sum().backward()
    assert seen == [(True, [2.0] * 3), (True, [4.0] * 3)]


def test_an_exception_in_a_hook_reaches_the_caller():
    x = leaf()
    y = x * 2

    def broken(grad):
        raise KeyError("mine")

    y.register_hook(broken)
    with pytest.raises(KeyError, match="mine"):
        y.sum().backward()
    assert x.grad is None


def test_a_hook_on_a_tensor_without_grad_is_refused():
    with pytest.raises(fd.GradError, match="does not require grad"):
        fd.ones(2).register_hook(print)


def test_hooks_run_for_autograd_grad_too():
    x, seen = leaf(), []
    x.register_hook(lambda g: seen.append(1) or g * 2)
    y = x * 3
    y.register_hook(lambda g: seen.append(2))
    (grad,) = fd.autograd.grad(y.sum(), x)
    assert seen == [2, 1]
    assert grad.tolist() == [6.0] * 3
    assert x.grad is None


def test_retain_grad_fills_grad_of_a_tensor_with_history():
    x = leaf()
    y = x * 2
    assert not y.retains_grad
    y.retain_grad()
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [4.0, 8.0, 12.0]


def test_retain_grad_sees_what_hooks_registered_before_it_made():
    x = leaf()
    y = x * 2
    y.register_hook(lambda g: g * 5)
    y.retain_grad()
    y.sum().backward()
    assert y.grad.tolist() == [5.0] * 3


def test_retain_grad_follows_an_in_place_write(torch):
    def run(lib):
        x = lib.tensor([1.0, 2.0], dtype=lib.float64, requires_grad=True)
        y = x * 3
        y.retain_grad()
        y.mul_(2)
        (y * y).sum().backward()
        return y.grad.tolist(), x.grad.tolist()

    assert run(fd) == run(torch)


def test_a_cycle_through_a_hook_is_collected():
    x = leaf()
    y = x * 2

    class Witness:
        pass

    witness = Witness()
    y.register_hook(lambda g, keep=(y, witness): None)  # y -> node -> hook -> y
    gone = weakref.ref(witness)
    del y, witness
    gc.collect()
    assert gone() is None


def test_a_cycle_through_a_hook_of_a_leaf_is_collected():
    x = leaf()

    class Witness:
        pass

    witness = Witness()
    x.register_hook(lambda g, keep=(x, witness): None)
    gone = weakref.ref(witness)
    del x, witness
    gc.collect()
    assert gone() is None


def test_a_graph_dies_with_its_last_tensor():
    x = leaf()
    y = (x * 2).exp()
    gone = weakref.ref(y)
    del y
    assert gone() is None
