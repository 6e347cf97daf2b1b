"""The benchmark: `python -m benchmarks` from a checkout. The machinery is freedive.testing.bench."""
