"""Distributions: PyTorch's numbers and printed forms, samples whose moments are right, refusals."""

import importlib

import numpy as np
import pytest

import freedive as fd
from freedive import distributions

MAKERS = {
    "Normal": lambda lib, d, x: d.Normal(0.5, 2.0),
    "Normal of tensors": lambda lib, d, x: d.Normal(x, x.abs() + 1),
    "Uniform": lambda lib, d, x: d.Uniform(-1.0, 3.0),
    "Bernoulli": lambda lib, d, x: d.Bernoulli(0.3),
    "Bernoulli of logits": lambda lib, d, x: d.Bernoulli(logits=x),
    "Categorical": lambda lib, d, x: d.Categorical(x.abs()),
    "Categorical of logits": lambda lib, d, x: d.Categorical(logits=x),
}
VALUES = {
    "mean": lambda lib, d: d.mean,
    "variance": lambda lib, d: d.variance,
    "stddev": lambda lib, d: d.stddev,
    "entropy": lambda lib, d: d.entropy(),
    "log_prob": lambda lib, d: d.log_prob(lib.tensor([[0.0], [1.0]])),
    "shape": lambda lib, d: lib.zeros(d.sample((5, 2)).shape),
    "empty shape": lambda lib, d: lib.zeros(d.sample().shape),
}
FLAT = np.array([[0.3, -1.2, 0.7], [2.0, 0.1, -0.4]], np.float32)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("maker", MAKERS)
def test_values(torch, maker, value):
    def run(lib, module):
        x = lib.tensor(FLAT, requires_grad=True)
        made = MAKERS[maker](lib, module, x)
        printed = repr(made)
        out = VALUES[value](lib, made)
        if out.requires_grad:
            out.sum().backward()
        return out.detach().numpy(), None if x.grad is None else x.grad.numpy(), printed

    ours, theirs = run(fd, distributions), run(torch, importlib.import_module("torch.distributions"))
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5, atol=1e-6)
    assert (ours[1] is None) == (theirs[1] is None)
    if ours[1] is not None:
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)
    assert ours[2] == theirs[2]


@pytest.mark.parametrize("maker", ["Normal", "Uniform", "Bernoulli"])
def test_samples_have_the_moments(maker):
    fd.manual_seed(0)
    made = MAKERS[maker](fd, distributions, None)
    sample = made.sample((20_000,))
    assert float(sample.mean()) == pytest.approx(float(made.mean), abs=0.05)
    assert float(sample.std()) == pytest.approx(float(made.stddev), rel=0.03)


def test_a_die_falls_as_often_as_it_should():
    fd.manual_seed(0)
    counts = fd.bincount(distributions.Categorical(fd.tensor([1.0, 2.0, 1.0])).sample((20_000,)))
    np.testing.assert_allclose((counts / 20_000).numpy(), [0.25, 0.5, 0.25], atol=0.02)


def test_gradients_pass_through_rsample():
    loc = fd.zeros((), requires_grad=True)
    distributions.Normal(loc, 1.0).rsample((10,)).sum().backward()
    assert float(loc.grad) == 10
    assert not distributions.Normal(loc, 1.0).sample().requires_grad


def test_quantiles():
    normal, uniform = distributions.Normal(1.0, 2.0), distributions.Uniform(0.0, 4.0)
    assert float(normal.cdf(normal.icdf(fd.tensor(0.2)))) == pytest.approx(0.2, rel=1e-5)
    assert uniform.cdf(fd.tensor([-1.0, 1.0, 9.0])).tolist() == [0, 0.25, 1]
    assert uniform.log_prob(fd.tensor([-1.0, 4.0])).tolist() == [-np.inf, -np.inf]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: distributions.Normal(0.0, -1.0), "Normal: expected scale above 0"),
        (lambda: distributions.Uniform(1.0, 0.0), "Uniform: expected low below high"),
        (lambda: distributions.Bernoulli(1.5), "Bernoulli: expected probs from 0 to 1"),
        (lambda: distributions.Bernoulli(), "give either probs or logits"),
        (lambda: distributions.Categorical(fd.tensor([-1.0, 1.0])), "not negative"),
        (lambda: distributions.Categorical(fd.tensor(1.0)), "at least one dimension"),
    ],
)
def test_mistakes(make, words):
    with pytest.raises(ValueError, match=words):
        make()
