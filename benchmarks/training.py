"""Whole training steps, as a user writes them."""

from benchmarks.workloads import FILE
from freedive.testing.bench import Goal, Row


def step_flops(batch: int, inputs: int, hidden: int, outputs: int) -> float:
    """Forward, gradients of both weights, gradient of the hidden layer; none of the input's."""
    first, second = 2.0 * batch * inputs * hidden, 2.0 * batch * hidden * outputs
    return 2 * first + 3 * second


def step(batch: int, hidden: int, goal: Goal | None = None) -> Row:
    """A row for one step of an MLP 784-hidden-10."""
    return Row(
        f"MLP step 784-{hidden}-10, batch {batch}",
        FILE,
        "mlp_step",
        {"batch": batch, "hidden": hidden},
        flops=step_flops(batch, 784, hidden, 10),
        group="training",
        goal=goal or Goal(),
    )


# Forward and two gradients of both convolutions (the first has no gradient of its input) and of three linear layers.
LENET_STEP_FLOPS = 2.0 * (2 * 6 * 25 * 784 + 3 * 16 * 150 * 100 + 3 * (400 * 120 + 120 * 84 + 84 * 10))

EXAMPLES = 60_000
TRAINING_ROWS = (
    step(256, 256, Goal(floor=480 / 388, microseconds=480)),
    Row(
        "MLP epoch, 60,000 images, batch 256",
        FILE,
        "mlp_epoch",
        {"examples": EXAMPLES, "batch": 256, "hidden": 256},
        flops=step_flops(EXAMPLES, 784, 256, 10),
        group="training",
        goal=Goal(peer={"numpy": 0.65, "torch": 0.40}),
    ),
    Row(
        "LeNet step, batch 256",
        FILE,
        "lenet_step",
        {"batch": 256},
        flops=256 * LENET_STEP_FLOPS,
        group="training",
        goal=Goal(peer={"torch": 0.40}),
    ),
)
