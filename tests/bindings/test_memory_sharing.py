"""Memory shared with NumPy, the buffer protocol and DLPack: both ways, lifetimes, read-only memory, other threads."""

import gc
import threading
import weakref

import numpy as np
import pytest

import freedive as fd

DTYPES = ("bool", "uint8", "int32", "int64", "float16", "float32", "float64")


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_both_ways_shares_memory(dtype):
    a = np.zeros((3, 4), dtype)
    t = fd.from_numpy(a)
    a[1, 2] = 1
    assert t[1, 2].item() == 1
    t[0, 0] = 1
    assert a[0, 0] == 1
    back = t.numpy()
    assert back.dtype == a.dtype
    assert np.shares_memory(a, back)


def test_strides_survive():
    a = np.arange(24.0).reshape(4, 6)[::2, 1::2].T
    t = fd.from_numpy(a)
    assert t.stride() == tuple(s // 8 for s in a.strides)
    assert np.array_equal(t.numpy(), a)
    assert np.array_equal((t + 0).numpy(), a)


def test_what_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match="negative strides"):
        fd.from_numpy(np.arange(4.0)[::-1])
    with pytest.raises(fd.DTypeError, match="astype"):
        fd.from_numpy(np.zeros(2, np.complex64))
    with pytest.raises(fd.GradError, match=r"detach\(\)"):
        fd.ones(2, requires_grad=True).numpy()
    with pytest.raises(fd.DTypeError, match="bfloat16"):
        fd.ones(2, dtype=fd.bfloat16).numpy()


def test_read_only_memory_is_not_written():
    a = np.arange(4.0)
    a.flags.writeable = False
    t = fd.from_numpy(a)
    with pytest.raises(ValueError, match="read-only"):
        t.add_(1)
    with pytest.raises(ValueError, match="read-only"):
        t[0] = 5
    assert not t.numpy().flags.writeable
    assert (t + 1).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_the_array_lives_as_long_as_the_tensor():
    class Array(np.ndarray):
        pass

    a = np.arange(4.0).view(Array)
    gone = weakref.ref(a)
    t = fd.from_numpy(a)
    del a
    gc.collect()
    assert t.tolist() == [0.0, 1.0, 2.0, 3.0]
    view = t[1:]
    del t
    gc.collect()
    assert view.tolist() == [1.0, 2.0, 3.0]
    del view
    gc.collect()
    assert gone() is None


def test_the_tensor_lives_as_long_as_the_array():
    a = fd.arange(4.0).numpy()
    gc.collect()
    junk = [fd.full((4,), 7.0) for _ in range(50)]
    assert a.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert len(junk) == 50


def test_memory_is_released_on_another_thread():
    class Array(np.ndarray):
        pass

    a = np.arange(1000.0).view(Array)
    gone = weakref.ref(a)
    box = [fd.from_numpy(a)]
    del a
    thread = threading.Thread(target=box.clear)
    thread.start()
    thread.join()
    gc.collect()
    assert gone() is None


def test_buffer_protocol():
    t = fd.arange(6, dtype=fd.int32).reshape(2, 3)
    view = memoryview(t)
    assert (view.shape, view.strides, view.format, view.readonly) == ((2, 3), (12, 4), "i", False)
    assert memoryview(t.T).strides == (4, 12)
    assert bytes(view) == t.numpy().tobytes()
    with pytest.raises(BufferError, match="requires grad"):
        memoryview(fd.ones(2, requires_grad=True))
    view.cast("B").cast("i")[0] = 9
    assert t[0, 0].item() == 9


def test_array_interface():
    t = fd.ones(3)
    assert np.asarray(t).sum() == 3
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.array(t, copy=True).sum() == 3
    assert (np.ones(3) * 2).tolist() == [2.0] * 3


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float16", "bfloat16", "float32", "float64"])
def test_dlpack_with_torch(torch, dtype):
    ours = fd.ones(2, 3, dtype=getattr(fd, dtype))
    theirs = torch.from_dlpack(ours)
    assert str(theirs.dtype).split(".")[1] == dtype
    theirs[0, 0] = 0
    assert ours[0, 0].item() == 0
    back = fd.from_dlpack(torch.ones(2, 3, dtype=getattr(torch, dtype)).T)
    assert tuple(back.shape) == (3, 2)
    assert back.dtype is getattr(fd, dtype)


def test_dlpack_with_numpy():
    ours = fd.arange(6.0).reshape(2, 3).T
    a = np.from_dlpack(ours)
    assert np.array_equal(a, ours.numpy())
    assert np.shares_memory(a, ours.numpy())
    source = np.arange(4.0)
    t = fd.from_dlpack(source)
    source[0] = 9
    assert t[0].item() == 9


def test_dlpack_keeps_memory_alive(torch):
    t = torch.from_dlpack(fd.arange(1000.0))
    gc.collect()
    [fd.full((1000,), 3.0) for _ in range(20)]
    assert t.sum().item() == 499500
    t = fd.from_dlpack(torch.arange(1000.0))
    gc.collect()
    assert t.sum().item() == 499500


def test_dlpack_capsules_that_nobody_takes_are_freed():
    x = fd.ones(4)
    gone = weakref.ref(x)
    capsule = x.__dlpack__()
    del x, capsule
    gc.collect()
    assert gone() is None


def test_dlpack_refuses_gradients():
    with pytest.raises((fd.GradError, BufferError), match=r"requires? grad"):
        fd.ones(2, requires_grad=True).__dlpack__()


def test_dlpack_of_read_only_numpy_memory():
    a = np.arange(4.0)
    a.flags.writeable = False
    try:
        a.__dlpack__(max_version=(1, 0))
    except (BufferError, TypeError):
        pytest.skip("this NumPy exports no read-only memory")
    t = fd.from_dlpack(a)
    with pytest.raises(ValueError, match="read-only"):
        t.add_(1)
