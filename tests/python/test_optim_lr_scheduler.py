"""Learning-rate schedules against PyTorch's, rate by rate."""

import pickle

import pytest

import freedive as fd
from freedive import nn, optim

SCHEDULES = {
    "StepLR": lambda s, o: s.StepLR(o, step_size=4, gamma=0.5),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, milestones=[3, 5, 5, 20], gamma=0.3),
    "ConstantLR": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=6),
    "LinearLR": lambda s, o: s.LinearLR(o, start_factor=0.2, end_factor=0.9, total_iters=7),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, gamma=0.8),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, total_iters=9, power=2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, T_max=6, eta_min=0.01),
    "CosineAnnealingWarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=3, T_mult=2, eta_min=0.01),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    "LambdaLR of a list": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.9**epoch, lambda epoch: 1 / (epoch + 1)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, max_lr=0.7, total_steps=30),
    "OneCycleLR in three phases": lambda s, o: s.OneCycleLR(
        o, max_lr=[0.7, 0.5], epochs=6, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"
    ),
    "warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 10), s.ExponentialLR(o, 0.9)], milestones=[5, 15]
    ),
    "chain": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 4), s.ExponentialLR(o, 0.9)]),
}


def make(lib, n, options=("SGD", {"momentum": 0.9})):
    name, more = options
    groups = [{"params": [n.Parameter(lib.zeros(1))]}, {"params": [n.Parameter(lib.zeros(1))], "lr": 0.05}]
    return getattr(lib.optim, name)(groups, lr=0.5, **more)


def rates(lib, n, build, options=("SGD", {"momentum": 0.9})):
    optimizer = make(lib, n, options)
    schedule = build(lib.optim.lr_scheduler, optimizer)
    seen = []
    for _ in range(29):
        seen.append([g["lr"] for g in optimizer.param_groups] + list(schedule.get_last_lr()))
        seen[-1] += [g.get("momentum") or g["betas"][0] for g in optimizer.param_groups]
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates(name, torch):
    ours, theirs = rates(fd, nn, SCHEDULES[name]), rates(torch, torch.nn, SCHEDULES[name])
    for a, b in zip(ours, theirs):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-15)


def test_one_cycle_moves_betas(torch):
    build = SCHEDULES["OneCycleLR"]
    ours, theirs = rates(fd, nn, build, ("Adam", {})), rates(torch, torch.nn, build, ("Adam", {}))
    for a, b in zip(ours, theirs):
        assert a == pytest.approx(b, rel=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_resuming(name):
    build = SCHEDULES[name]
    whole = rates(fd, nn, build)
    optimizer = make(fd, nn)
    schedule = build(optim.lr_scheduler, optimizer)
    for i in range(29):
        if i in (4, 11):
            saved, state = optimizer.state_dict(), schedule.state_dict()
            if "LambdaLR" not in name and name != "MultiplicativeLR":
                state = pickle.loads(pickle.dumps(state))
            optimizer = make(fd, nn)
            schedule = build(optim.lr_scheduler, optimizer)
            optimizer.load_state_dict(saved)
            schedule.load_state_dict(state)
        assert [g["lr"] for g in optimizer.param_groups] == whole[i][:2]
        schedule.step()


@pytest.mark.parametrize(
    "options", [{"patience": 1}, {"mode": "max", "patience": 0, "threshold_mode": "abs", "threshold": 0.05},
                {"patience": 0, "cooldown": 2, "min_lr": [0.1, 0.001], "factor": 0.5}],
)  # fmt: skip
def test_plateau(options, torch):
    metrics = [1.0, 0.9, 0.9, 0.95, 0.9, 0.7, 0.7, 0.7, 0.7, 0.69, 0.9, 0.9, 0.9, 0.9, 0.9]

    def run(lib, n):
        optimizer = make(lib, n)
        schedule = lib.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        seen = []
        for metric in metrics:
            schedule.step(metric)
            seen.append([g["lr"] for g in optimizer.param_groups])
        return seen, schedule.get_last_lr()

    assert run(fd, nn) == run(torch, torch.nn)


def test_where_schedules_live():
    schedule = optim.lr_scheduler.MultiStepLR(make(fd, nn), milestones=[1])
    assert schedule.__module__ == optim.lr_scheduler.__name__ == "freedive.optim.lr_scheduler"


def test_own_schedule():
    class Halves(optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    optimizer = make(fd, nn)
    schedule = Halves(optimizer)
    schedule.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.125, 0.0125]


def test_step_to_an_epoch():
    optimizer = make(fd, nn)
    schedule = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    schedule.step(5)
    assert schedule.get_last_lr() == [0.125, 0.0125]


def test_going_on_from_an_epoch():
    optimizer = make(fd, nn)
    with pytest.raises(KeyError, match="initial_lr"):
        optim.lr_scheduler.StepLR(optimizer, 2, last_epoch=3)
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    schedule = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5, last_epoch=3)
    assert schedule.last_epoch == 4 and schedule.get_last_lr() == [0.25, 0.025]


@pytest.mark.parametrize(
    ("build", "error"),
    [
        (lambda s, o: s.StepLR(3, 1), TypeError),
        (lambda s, o: s.LambdaLR(o, [lambda e: 1]), ValueError),
        (lambda s, o: s.LinearLR(o, start_factor=0), ValueError),
        (lambda s, o: s.LinearLR(o, end_factor=2), ValueError),
        (lambda s, o: s.ConstantLR(o, factor=2), ValueError),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, T_0=0), ValueError),
        (lambda s, o: s.OneCycleLR(o, 0.1), ValueError),
        (lambda s, o: s.ReduceLROnPlateau(o, factor=1.5), ValueError),
        (lambda s, o: s.ReduceLROnPlateau(o, mode="best"), ValueError),
        (lambda s, o: s.SequentialLR(o, [s.ExponentialLR(o, 0.9)], [3]), ValueError),
        (lambda s, o: s.SequentialLR(o, [], []), ValueError),
        (lambda s, o: s.ChainedScheduler([s.ExponentialLR(o, 0.9), s.ExponentialLR(make(fd, nn), 0.9)]), ValueError),
    ],
)
def test_mistakes(build, error):
    with pytest.raises(error):
        build(optim.lr_scheduler, make(fd, nn))
