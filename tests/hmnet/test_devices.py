import importlib
import os
from collections.abc import Iterator

import pytest
import torch

import hmnet
from hmnet import devices
from hmnet.devices import resolve_device, resolve_schedule, schedule_on
from relevance.errors import RelevanceError
from relevance.jobs.job import Schedule


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs and eight cores."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS")


def test_all_gpus_by_default_and_as_many_as_asked_for(gpus: None) -> None:
    assert resolve_schedule() == Schedule(("cuda:0", "cuda:1"), 1)
    assert resolve_schedule(gpus=1, jobs_per_gpu=3) == Schedule(("cuda:0",), 3)
    assert resolve_device("auto") == "cuda:0"


def test_workers_share_the_cores(gpus: None) -> None:
    assert resolve_schedule(gpus=0) == Schedule(("cpu",), 4, threads=2)
    assert resolve_schedule(gpus=0, jobs=3) == Schedule(("cpu",), 3, threads=2)
    assert resolve_schedule(gpus=0, jobs=16) == Schedule(("cpu",), 16, threads=1)


@pytest.mark.parametrize(("given", "threads"), [("3", 3), ("1,2", 1), ("0", 2), ("many", 2)])
def test_the_users_number_of_threads_is_obeyed(
    gpus: None, monkeypatch: pytest.MonkeyPatch, given: str, threads: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert resolve_schedule(gpus=0) == Schedule(("cpu",), 4, threads=threads)
    assert resolve_schedule(gpus=1) == Schedule(("cuda:0",))


def test_more_gpus_than_there_are(gpus: None) -> None:
    with pytest.raises(RelevanceError) as error:
        resolve_schedule(gpus=4)
    assert str(error.value) == (
        "`gpus=4`: this machine has 2 GPU(s). Ask for as many, or leave the option out."
    )
    with pytest.raises(RelevanceError, match=r"`device='cuda:2'`: this machine has 2 GPU\(s\)"):
        resolve_device("cuda:2")
    with pytest.raises(RelevanceError, match="'gpu' is no device"):
        resolve_device("gpu")


def test_a_schedule_for_one_device(gpus: None) -> None:
    assert schedule_on("cuda:1") == Schedule(("cuda:1",))
    assert schedule_on("cpu") == Schedule(("cpu",), 4, threads=2)
    with pytest.raises(RelevanceError, match=r"`device='cuda:2'`: this machine has 2 GPU\(s\)"):
        schedule_on("cuda:2")


def test_here_the_engine_changes_nothing_else(gpus: None) -> None:
    assert resolve_schedule(engine="dask") == Schedule(("cuda:0", "cuda:1"), engine="dask")
    assert resolve_schedule(gpus=0, jobs=2, engine="ray") == Schedule(
        ("cpu",), 2, threads=4, engine="ray"
    )


def test_workers_of_a_cluster_see_a_device_each(gpus: None) -> None:
    there = {"engine": "ray", "address": "head:6379"}
    assert resolve_schedule(**there) == Schedule(("cuda",), all_workers=True, **there)
    assert resolve_schedule(gpus=3, jobs_per_gpu=2, **there) == Schedule(("cuda",) * 3, 2, **there)
    assert resolve_schedule(gpus=0, **there) == Schedule(("cpu",), all_workers=True, **there)
    assert resolve_schedule(gpus=0, jobs=6, **there) == Schedule(("cpu",), 6, **there)


def test_an_engine_must_be_known_and_an_address_needs_one() -> None:
    with pytest.raises(RelevanceError, match=r"^Unknown engine 'slurm'\. .*Known: dask, local"):
        resolve_schedule(engine="slurm")
    with pytest.raises(RelevanceError, match=r"^`address='head:1'`: name what listens there, `eng"):
        resolve_schedule(address="head:1")


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("cores", "given", "threads"), [(2, "", 2), (64, "", 4), (2, "8", 4), (8, "1", 1)]
)
def test_no_more_threads_than_there_are_cores_for(
    four_threads: None, monkeypatch: pytest.MonkeyPatch, cores: int, given: str, threads: int
) -> None:
    monkeypatch.setattr(devices, "cpu_count", lambda: cores)
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    resolve_device("cpu")
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("given", "got"), [(None, "passive"), ("active", "active")])
def test_threads_wait_asleep_unless_the_user_wants_otherwise(
    monkeypatch: pytest.MonkeyPatch, given: str | None, got: str
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if given:
        monkeypatch.setenv("OMP_WAIT_POLICY", given)
    importlib.reload(hmnet)
    assert os.environ["OMP_WAIT_POLICY"] == got
