"""Devices, memory, copies, events, and what goes wrong."""

import os
import subprocess
import sys

import numpy as np
import pytest

import freedive as fd
from freedive.nn import functional as F


def test_what_there_is():
    assert fd.cuda.device_count() >= 1
    assert fd.cuda.get_device_name()
    free, total = fd.cuda.mem_get_info()
    assert 0 < free <= total


def test_tensors_know_where_they_are():
    t = fd.ones(2, 3, device="cuda")
    assert t.is_cuda
    assert t.device == fd.device("cuda", 0)
    assert t.cuda() is t
    assert t.to("cuda:0") is t
    assert t.cpu().device.type == "cpu"
    assert (t + 1).device == t.device
    assert t.T.device == t.device
    assert "device='cuda:0'" in repr(t)


def test_copies_there_and_back():
    x = fd.randn(40, 30)
    for view in (x, x.T, x[::2, 1:], x[5], x[0, 0], x[:0]):
        assert view.cuda().cpu().equal(view)
    for dtype in (fd.bool, fd.uint8, fd.int32, fd.int64, fd.float16, fd.bfloat16, fd.float64):
        assert (x * 3).to(dtype).cuda().cpu().equal((x * 3).to(dtype))


def test_a_gradient_goes_back_to_where_its_tensor_is():
    x = fd.ones(3, requires_grad=True)
    (x.cuda() * fd.tensor([1.0, 2.0, 3.0], device="cuda")).sum().backward()
    assert x.grad.tolist() == [1, 2, 3]
    assert x.grad.device.type == "cpu"


def test_writing_across_devices():
    there, here = fd.zeros(2, 2, device="cuda"), fd.tensor([[1.0, 2.0], [3.0, 4.0]])
    there.copy_(here)
    there[0] = 7
    assert there.tolist() == [[7, 7], [3, 4]]
    here.copy_(there.T)
    assert here.tolist() == [[7, 3], [7, 4]]


def test_mixed_devices_are_refused_by_name():
    a, b = fd.ones(2, 2, device="cuda"), fd.ones(2, 2)
    with pytest.raises(fd.DeviceError, match="add: tensors on different devices: cuda:0 and cpu"):
        a + b
    with pytest.raises(fd.DeviceError, match="different devices"):
        a @ b
    with pytest.raises(fd.DeviceError, match="different devices"):
        F.cross_entropy(a, fd.tensor([0, 1]))
    assert (a * fd.tensor(2.0)).tolist() == [[2, 2], [2, 2]]  # a 0-dim operand follows


def vectors():
    return fd.arange(3.0, device="cuda"), fd.arange(3.0), fd.tensor([0, 1], device="cuda"), fd.tensor([0, 1])


MIXED = {
    "where": lambda g, c, i, j: fd.where(g > 0, c, g),
    "where (condition)": lambda g, c, i, j: fd.where(c > 0, g, g),
    "gather": lambda g, c, i, j: g.gather(0, j),
    "scatter": lambda g, c, i, j: g.scatter(0, j, 1.0),
    "scatter (source)": lambda g, c, i, j: g.scatter(0, i, c[:2]),
    "scatter_reduce": lambda g, c, i, j: g.scatter_reduce(0, i, c[:2], "amax"),
    "index_select": lambda g, c, i, j: g.index_select(0, j),
    "index_add": lambda g, c, i, j: g.index_add(0, j, g[:2]),
    "index_fill": lambda g, c, i, j: g.index_fill(0, j, 1.0),
    "take": lambda g, c, i, j: g.take(j),
    "embedding": lambda g, c, i, j: F.embedding(j, g.reshape(3, 1)),
    "index on the GPU": lambda g, c, i, j: c[i],
    "values": lambda g, c, i, j: g.index_put_((i,), c[:2]),
    "masked_fill": lambda g, c, i, j: g.masked_fill(c > 0, 0.0),
    "masked_select": lambda g, c, i, j: g.masked_select(c > 0),
    "masked_scatter": lambda g, c, i, j: g.masked_scatter(c > 0, g),
    "repeat_interleave": lambda g, c, i, j: g[:2].repeat_interleave(j),
    "isin": lambda g, c, i, j: fd.isin(g, c),
    "bincount": lambda g, c, i, j: i.bincount(c[:2]),
    "quantile": lambda g, c, i, j: g.quantile(c / 3),
    "backward": lambda g, c, i, j: (g.requires_grad_() * 2).backward(c),
}


@pytest.mark.parametrize("name", MIXED)
def test_memory_of_another_device_never_reaches_a_kernel(name):
    with pytest.raises(fd.DeviceError):
        MIXED[name](*vectors())


def test_what_follows_a_tensor_to_its_device():
    g, c, _, j = vectors()
    assert g[j].tolist() == [0, 1]
    assert g[c > 0].tolist() == [1, 2]
    g[j] = 5
    g[c > 1] = fd.tensor(7.0)
    g.index_put_((j,), fd.ones(2, device="cuda"), accumulate=True)
    assert g.tolist() == [6, 6, 7]
    assert fd.where(g > 6, g, fd.tensor(0.0)).tolist() == [0, 0, 7]
    assert g.masked_fill(g > 6, fd.tensor(1.0)).tolist() == [6, 6, 1]
    assert g.quantile(0.5).item() == 6
    assert fd.searchsorted(g, 6.5).item() == 2
    assert fd.isin(g, 7).tolist() == [False, False, True]


def test_numpy_needs_a_copy():
    t = fd.ones(2, device="cuda")
    with pytest.raises(fd.DTypeError, match="cpu()"):
        t.numpy()
    with pytest.raises(BufferError, match="not on the CPU"):
        memoryview(t)
    assert t.numpy(force=True).tolist() == [1, 1]


@pytest.mark.parametrize("label", [-1, 4, 2**40])
def test_a_wrong_label_is_named_at_the_next_wait(label):
    logits = fd.randn(3, 4, device="cuda", requires_grad=True)
    loss = F.cross_entropy(logits, fd.tensor([0, label, 1], device="cuda"))
    with pytest.raises(IndexError, match=f"cross_entropy: index {label} at position 1 is out of range"):
        loss.item()
    # The process and the device go on.
    assert F.cross_entropy(logits, fd.tensor([0, 2, 1], device="cuda")).item() > 0


def test_a_wrong_index_is_named_at_the_next_wait():
    t = fd.arange(5, device="cuda")
    t[fd.tensor([0, 9], device="cuda")]
    with pytest.raises(IndexError, match="index 9 at position 1"):
        fd.cuda.synchronize()
    fd.gather(t, 0, fd.tensor([-1], device="cuda"))
    with pytest.raises(IndexError, match="gather: index -1"):
        fd.cuda.synchronize()


def test_one_hot_with_its_size_waits_for_nothing():
    c = fd.tensor([[0, 2], [1, 0]], device="cuda")
    assert F.one_hot(c).equal(F.one_hot(c.cpu()).cuda())
    step = fd.cuda.graph(lambda c: F.one_hot(c, 4))
    assert [step(c).equal(F.one_hot(c.cpu(), 4).cuda()) for _ in range(3)] == [True] * 3
    F.one_hot(c, 2)
    with pytest.raises(IndexError, match="one_hot: index 2 at position 1"):
        fd.cuda.synchronize()


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (0, 3), (4, 1)])
def test_nonzero_finds_what_it_finds_on_the_cpu(shape):
    t = fd.tensor(np.random.default_rng(0).integers(0, 2, shape))
    assert fd.nonzero(t.cuda()).cpu().tolist() == fd.nonzero(t).tolist()
    pairs = zip(fd.nonzero(t.cuda(), as_tuple=True), fd.nonzero(t, as_tuple=True), strict=True)
    assert all(ours.cpu().equal(theirs) for ours, theirs in pairs)


def test_memory_out_is_an_error_with_sizes():
    size = 2**44
    with pytest.raises(MemoryError, match=rf"cannot allocate {4 * size} bytes on cuda:0: \d+ are in use"):
        fd.empty(size, device="cuda")
    assert fd.ones(2, device="cuda").sum().item() == 2


def test_memory_is_counted_and_reused():
    fd.cuda.synchronize()
    before = fd.cuda.memory_allocated()
    t = fd.zeros(1 << 20, device="cuda")
    assert fd.cuda.memory_allocated() - before >= 4 << 20
    assert fd.cuda.max_memory_allocated() >= fd.cuda.memory_allocated()
    where = t.data_ptr()
    del t
    assert fd.cuda.memory_allocated() == before
    if os.environ.get("FREEDIVE_CUDA_CACHE") != "0":
        assert fd.zeros(1 << 20, device="cuda").data_ptr() == where
    fd.cuda.empty_cache()


def test_events_measure():
    start, end = fd.cuda.Event(), fd.cuda.Event()
    start.record()
    x = fd.ones(200, 200, device="cuda")
    x @ x
    end.record()
    end.synchronize()
    assert start.elapsed_time(end) > 0


def test_pinned_memory_is_copied_beside_the_host():
    here = fd.arange(1000.0).pin_memory()
    assert here.is_pinned()
    assert here.pin_memory() is here
    assert not fd.ones(3).is_pinned()
    there = here.to("cuda", non_blocking=True)
    back = there.to("cpu", non_blocking=True)
    assert back.is_pinned()
    fd.cuda.current_stream().synchronize()
    assert there.equal(fd.arange(1000.0, device="cuda"))
    assert back.equal(fd.arange(1000.0))
    # What waits may be changed at once, and so may what is not pinned.
    for source in (here, fd.arange(1000.0)):
        there = source.cuda(non_blocking=source is not here)
        source.fill_(-1)
        assert there.equal(fd.arange(1000.0, device="cuda"))
    with pytest.raises(fd.DeviceError, match="only host memory"):
        there.pin_memory()


def test_other_memory_may_change_once_a_copy_returns():
    """Also where the device is far behind: more than one piece, and many small ones."""
    large = fd.arange(2_600_000)
    there = large.cuda()
    large.fill_(-1)
    small, copies = fd.zeros(3), []
    for i in range(300):
        small.fill_(float(i))
        copies.append(small.cuda())
    assert there.equal(fd.arange(2_600_000, device="cuda"))
    assert [copy[2].item() for copy in copies] == list(range(300))


def test_pinned_memory_is_not_handed_out_while_it_is_read():
    kept = []
    for i in range(20):
        here = fd.full((100,), float(i)).pin_memory()
        kept.append(here.to("cuda", non_blocking=True))
        del here
    assert [t[0].item() for t in kept] == list(range(20))


def test_events_and_the_stream_say_what_is_done():
    stream, event = fd.cuda.current_stream(), fd.cuda.Event()
    assert stream.device == fd.device("cuda:0")
    assert stream.cuda_stream != 0
    fd.ones(10, device="cuda") + 1
    stream.record_event(event)
    stream.synchronize()
    assert event.query()


def test_dlpack_shares_memory():
    t = fd.arange(6, device="cuda").reshape(2, 3)
    other = fd.from_dlpack(t)
    assert other.device == t.device
    assert other.data_ptr() == t.data_ptr()
    assert other.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert t.__dlpack_device__() == (2, 0)


class Foreign:
    def __init__(self, **interface):
        self.__cuda_array_interface__ = interface


def test_the_cuda_array_interface_shares_memory():
    t = fd.arange(6.0, device="cuda").reshape(2, 3).T
    interface = t.__cuda_array_interface__
    assert interface["shape"] == (3, 2)
    assert interface["strides"] == (4, 12)
    assert interface["typestr"] == "<f4"
    assert interface["data"] == (t.data_ptr(), False)
    stream = fd.cuda.current_stream().cuda_stream
    shared = fd.as_tensor(Foreign(**interface | {"stream": stream}))
    assert shared.device == t.device
    t.mul_(2)
    assert shared.tolist() == t.tolist() == [[0, 6], [2, 8], [4, 10]]
    copy = fd.tensor(Foreign(**interface), dtype=fd.int64)
    assert copy.data_ptr() != t.data_ptr()
    assert copy.device == t.device
    assert copy.tolist() == t.tolist()
    assert fd.as_tensor(Foreign(**fd.ones(0, 3, device="cuda").__cuda_array_interface__)).shape == (0, 3)


def test_the_cuda_array_interface_refuses_what_it_cannot_share():
    t = fd.ones(2, 3, device="cuda")
    assert not hasattr(t.cpu(), "__cuda_array_interface__")
    with pytest.raises(fd.GradError, match="detach"):
        fd.ones(2, device="cuda", requires_grad=True).__cuda_array_interface__
    with pytest.raises(fd.DTypeError, match="bfloat16 has no type"):
        t.bfloat16().__cuda_array_interface__
    interface = t.__cuda_array_interface__
    for change, error in (
        ({"typestr": "<c8"}, fd.DTypeError),
        ({"strides": (-12, 4)}, ValueError),
        ({"strides": (12,)}, fd.ShapeError),
        ({"mask": t}, ValueError),
        ({"data": (fd.ones(6).data_ptr(), False)}, fd.DeviceError),
    ):
        with pytest.raises(error):
            fd.as_tensor(Foreign(**interface | change))


def test_saving_brings_tensors_home(tmp_path):
    fd.save({"w": fd.ones(3, device="cuda")}, tmp_path / "w.fd")
    assert fd.load(tmp_path / "w.fd")["w"].tolist() == [1, 1, 1]


def test_a_forked_child_is_told():
    fd.ones(1, device="cuda")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            fd.ones(1, device="cuda")
        except fd.DeviceError as error:
            code = 0 if "forked" in str(error) else 2
        os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}
    )


def test_synchronous_mode_raises_where_the_fault_began():
    code = "import freedive as fd\nfd.arange(3, device='cuda')[fd.tensor([5], device='cuda')]\nprint('went on')"
    out = run(code, FREEDIVE_SYNC="1")
    assert "IndexError: index: index 5" in out.stderr
    assert "went on" not in out.stdout


def test_without_a_plug_in():
    code = (
        "import freedive as fd\nprint(fd.cuda.is_available(), fd.cuda.device_count())\nfd.show_config()\n"
        "fd.ones(1, device='cuda')"
    )
    out = run(code, FREEDIVE_CUDA_LIBRARY="/nowhere/libfreedive_cuda.so")
    assert out.stdout.startswith("False 0")
    assert "not available: there is no /nowhere/libfreedive_cuda.so" in out.stdout
    assert "DeviceError: device cuda:0 is not available" in out.stderr


def test_large_index_spaces_and_reductions():
    x = np.random.default_rng(0).normal(size=(70, 3001)).astype(np.float32)
    t = fd.tensor(x, device="cuda")
    for dims in (None, 0, 1):
        np.testing.assert_allclose(t.sum(dims).cpu().numpy(), x.sum(dims, dtype=np.float64), rtol=2e-6, atol=1e-4)
        assert t.max().item() == x.max()
    np.testing.assert_allclose(t.T.cumsum(0).cpu().numpy(), x.T.cumsum(0, dtype=np.float64), rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(t.cumsum(1).cpu().numpy(), x.cumsum(1, dtype=np.float64), rtol=1e-5, atol=1e-3)
    assert (t.argmax(1).cpu().numpy() == x.argmax(1)).all()


@pytest.mark.parametrize(("rows", "n"), [(1, 4096), (1, 4097), (3, 20_000), (1, 1_100_000)])
def test_long_running_sums(rows, n):
    x = np.random.default_rng(n).normal(size=(rows, n)).astype(np.float32)
    t = fd.tensor(x, device="cuda")
    np.testing.assert_allclose(t.cumsum(1).cpu().numpy(), x.cumsum(1, dtype=np.float64), rtol=1e-6, atol=1e-3)
    whole = (t * 10).long()
    assert whole.cumsum(1).equal(whole.cpu().cumsum(1).cuda())
    if n < 100_000:
        for ours, theirs in zip(t.cummax(1), fd.tensor(x).cummax(1), strict=True):
            assert ours.cpu().equal(theirs)
        right = np.logaddexp.accumulate(x.astype(np.float64), 1)
        np.testing.assert_allclose(t.logcumsumexp(1).cpu().numpy(), right, rtol=1e-5)


@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 1), (130, 131, 37), (3, 5, 700), (300, 200, 64), (65, 64, 33)])
def test_products(m, n, k):
    rng = np.random.default_rng(m)
    a, b = rng.normal(size=(m, k)).astype(np.float32), rng.normal(size=(k, n)).astype(np.float32)
    right = a.astype(np.float64) @ b
    ta, tb = fd.tensor(a, device="cuda"), fd.tensor(b, device="cuda")
    for left in (ta, ta.T.contiguous().T):
        for other in (tb, tb.T.contiguous().T):
            np.testing.assert_allclose((left @ other).cpu().numpy(), right, rtol=1e-5, atol=1e-4)
            np.testing.assert_allclose((left.double() @ other.double()).cpu().numpy(), right, rtol=1e-12, atol=1e-12)
