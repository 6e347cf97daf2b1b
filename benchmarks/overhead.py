"""Small work, where the time goes into everything but arithmetic."""

from benchmarks.workloads import FILE
from freedive.testing.bench import Goal, Row

OVERHEAD_ROWS = (
    Row("add 4 elements", FILE, "add", {"grad": False}, group="overhead", goal=Goal(peers=1.0)),
    Row("add 4 elements, recorded", FILE, "add", {"grad": True}, libs=("freedive", "torch"), group="overhead",
        goal=Goal(peers=1.0)),
    Row("linear regression step", FILE, "linear_regression", group="overhead",
        goal=Goal(peer={"torch": 5 / 52}, microseconds=5)),
    Row("gradient of a net 24-8-2", FILE, "small_net", libs=("freedive", "torch"), group="overhead",
        goal=Goal(peer={"torch": 8 / 81}, microseconds=8)),
)  # fmt: skip
