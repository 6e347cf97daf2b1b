"""Threads, forks, the interpreter lock, and results that do not depend on the number of threads."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import freedive as fd


def train(threads):
    """The bits of a small model's parameters after a few steps."""
    before = fd.get_num_threads()
    fd.set_num_threads(threads)
    try:
        fd.manual_seed(3)
        nn = fd.nn
        net = nn.Sequential(nn.Linear(300, 200), nn.BatchNorm1d(200), nn.ReLU(), nn.Dropout(0.3), nn.Linear(200, 10))
        optimizer = fd.optim.Adam(net.parameters(), lr=1e-2, weight_decay=1e-3)
        X, y = fd.randn(700, 300), fd.randint(0, 10, (700,))
        for _ in range(4):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(X), y)
            loss.backward()
            optimizer.step()
        return [p.detach().numpy().tobytes() for p in net.parameters()], loss.item()
    finally:
        fd.set_num_threads(before)


def test_training_gives_the_same_bits_for_any_number_of_threads():
    one = train(1)
    assert np.isfinite(one[1])
    assert train(2) == one
    assert train(5) == one


@pytest.mark.parametrize("size", [1, 1000, 100_003])
def test_reductions_and_random_numbers_give_the_same_bits_for_any_number_of_threads(size):
    def results(threads):
        fd.set_num_threads(threads)
        fd.manual_seed(1)
        x = fd.randn(size, 3)
        return [t.numpy().tobytes() for t in (x, x.sum(), x.sum(0), x.softmax(0), x.cumsum(0), x.std(0), fd.dropout(x))]

    before = fd.get_num_threads()
    try:
        one = results(1)
        assert results(2) == one
        assert results(5) == one
    finally:
        fd.set_num_threads(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_computes():
    a = fd.ones(600, 600)
    want = (a @ a).sum().item()  # the pool is running
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        got = (a @ a).sum().item()
        os.write(write, str(got).encode())
        os._exit(0)
    os.close(write)
    assert float(os.read(read, 100)) == want
    os.close(read)
    assert os.waitpid(child, 0)[1] == 0
    assert (a @ a).sum().item() == want


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_other_threads_compute():
    stop = threading.Event()

    def busy():
        x = fd.ones(400, 400)
        while not stop.is_set():
            x @ x

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                x = fd.ones(400, 400)
                os._exit(0 if (x @ x)[0, 0].item() == 400 else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


def test_long_work_releases_the_interpreter_lock():
    a = fd.ones(2500, 2500)
    begun, finished, seen = threading.Event(), [], []

    def multiply():
        begun.set()
        for _ in range(3):
            a @ a
        finished.append(time.perf_counter())

    thread = threading.Thread(target=multiply)
    thread.start()
    begun.wait()
    while thread.is_alive():
        seen.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    assert sum(t < finished[0] for t in seen) > 3


def test_the_interpreter_ends_while_a_thread_computes():
    code = (
        "import threading, freedive as fd\n"
        "x = fd.ones(500, 500)\n"
        "def work():\n"
        "    while True: x @ x\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "(x @ x).sum().item()\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_wrong_numbers_of_threads_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        fd.set_num_threads(0)
