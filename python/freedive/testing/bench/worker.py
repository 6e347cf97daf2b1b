"""One library's process: loads workloads and times them when told to, over JSON lines.

Run by path, so that nothing is imported but what a workload asks for.
"""

import contextlib
import gc
import importlib.util
import json
import os
import sys
import time
import warnings


def workload_of(file, name, lib, args):
    """Imports a file by its path (once) and calls one of its functions: it returns what is to be timed, or None.

    A program for JAX has another shape than one for the others, so it stands in a file beside theirs, FILE_jax.py.
    """
    if lib == "jax":
        file = f"{file[:-3]}_jax.py"
    key = "workloads_" + os.path.basename(file)[:-3]
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, file)
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    make = getattr(sys.modules[key], name, None)
    return make and make(lib, **args)


def set_threads(lib, threads):
    """The same number of threads for everyone."""
    if lib == "torch":
        import torch

        torch.set_num_threads(threads)
    elif lib == "numpy":
        with contextlib.suppress(ImportError):
            import threadpoolctl

            set_threads.limits = threadpoolctl.threadpool_limits(threads)
    elif lib == "jax":
        os.environ["NPROC"] = str(threads)  # XLA sizes its pools by it when JAX starts
    else:
        import freedive

        freedive.set_num_threads(threads)


def describe(lib):
    """Versions, thread pools, instruction set."""
    about = {"python": sys.version.split()[0]}
    with contextlib.suppress(ImportError):
        import numpy

        about["numpy"] = numpy.__version__
    if lib == "torch":
        import torch

        about["torch"] = torch.__version__
    if lib == "jax":
        import jax

        about["jax"] = jax.__version__
    if lib in ("freedive", "kernels"):
        from freedive import _core

        about["freedive"], about["isa"] = _core.__version__, _core._isa()
    with contextlib.suppress(ImportError):
        import threadpoolctl

        pools = threadpoolctl.threadpool_info()
        about["threadpools"] = [{**pool, "filepath": os.path.basename(pool["filepath"])} for pool in pools]
    about["environment"] = {k: v for k, v in os.environ.items() if k.startswith(("OMP", "MKL", "OPENBLAS", "FREEDIVE"))}
    return about


def ceiling(kind, threads, seconds):
    """Operations or bytes per second that this machine reaches just now."""
    from freedive import _core

    if kind == "flops":
        return _core._fma_peak(seconds, threads)
    return _core._copy_bandwidth(64 << 20, seconds, threads)


def timed(lib, work, times, clock):
    """Seconds per call, over so many calls. What JAX still computes when the last call returns is waited for."""
    start = clock()
    for _ in range(times):
        last = work()
    if lib == "jax":
        sys.modules["jax"].block_until_ready(last)
    return (clock() - start) / times


def serve(lib, orders, answers):
    """Answers one order after the other until there are none."""
    works = {}
    for line in orders:
        order = json.loads(line)
        try:
            what = order["do"]
            if what == "load":
                works[order["key"]] = workload_of(order["file"], order["name"], lib, order["args"])
                result = works[order["key"]] is not None
            elif what == "time":
                clock = time.process_time if order["processor"] else time.perf_counter
                result = timed(lib, works[order["key"]], order["times"], clock)
            elif what == "drop":
                result = works.pop(order["key"], None) is not None
                gc.collect()
            elif what == "ceiling":
                result = ceiling(order["kind"], order["threads"], order["seconds"])
            elif what == "threads":
                result = set_threads(lib, order["threads"])
            else:
                result = describe(lib)
            answer = {"result": result}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    gc.disable()
    warnings.simplefilter("ignore")
    # What a library prints must not end up among the answers.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.argv[1], sys.stdin, out)
