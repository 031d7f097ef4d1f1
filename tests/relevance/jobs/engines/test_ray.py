"""What Ray is asked to set aside for a job; `contracts/test_engines.py` has real clusters."""

import pytest

from relevance.errors import RelevanceError
from relevance.jobs.engines.ray import _actors
from relevance.jobs.job import Schedule

THERE = {"engine": "ray", "address": "head:6379"}
CLUSTER = {"CPU": 64.0, "GPU": 8.0, "memory": 1e12}


@pytest.mark.parametrize(
    ("schedule", "workers", "aside"),
    [
        (Schedule(all_workers=True, **THERE), 64, {"num_cpus": 1.0}),
        (Schedule(jobs_per_device=12, **THERE), 12, {"num_cpus": 5.0}),
        (Schedule(("cuda",), 1, all_workers=True, **THERE), 8, {"num_cpus": 1.0, "num_gpus": 1.0}),
        (Schedule(("cuda",), 2, all_workers=True, **THERE), 16, {"num_cpus": 1.0, "num_gpus": 0.5}),
        (Schedule(("cuda",) * 3, **THERE), 3, {"num_cpus": 1.0, "num_gpus": 1.0}),
    ],
)
def test_cpus_and_gpus_are_shared_out(
    schedule: Schedule, workers: int, aside: dict[str, float]
) -> None:
    device = schedule.devices[0]
    assert _actors(CLUSTER, schedule, device) == (workers, aside)


def test_two_actors_fit_where_one_works() -> None:
    """Joblib's backend has no pool of one."""
    assert _actors(CLUSTER, Schedule(**THERE), "cpu") == (1, {"num_cpus": 32.0})
    one_gpu = Schedule(("cuda",), **THERE)
    assert _actors(CLUSTER, one_gpu, "cuda") == (1, {"num_cpus": 1.0, "num_gpus": 0.5})


@pytest.mark.parametrize(
    ("cluster", "schedule", "workers"),
    [
        ({"CPU": 4.0}, Schedule(jobs_per_device=5, **THERE), 5),
        ({"CPU": 1.0}, Schedule(**THERE), 1),
        ({"CPU": 4.0, "GPU": 2.0}, Schedule(("cuda",) * 3, **THERE), 3),
        ({"CPU": 4.0}, Schedule(("cuda",), all_workers=True, **THERE), 0),
    ],
)
def test_a_cluster_that_is_too_small_is_no_wait_without_end(
    cluster: dict[str, float], schedule: Schedule, workers: int
) -> None:
    with pytest.raises(RelevanceError) as error:
        _actors(cluster, schedule, schedule.devices[0])
    assert str(error.value) == (
        f"The Ray cluster has {int(cluster['CPU'])} CPU(s) and {int(cluster.get('GPU', 0))} GPU(s),"
        f" too few for {workers} worker(s): it takes a CPU for each, 2 at least. Change `jobs` or"
        " `gpus`."
    )
