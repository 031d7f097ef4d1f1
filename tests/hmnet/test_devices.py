import pytest
import torch

from hmnet import devices
from hmnet.devices import resolve_device, resolve_schedule, schedule_on
from relevance.errors import RelevanceError
from relevance.scheduling import Schedule


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs and eight cores."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_cores", lambda: 8)


def test_all_gpus_by_default_and_as_many_as_asked_for(gpus: None) -> None:
    assert resolve_schedule() == Schedule(("cuda:0", "cuda:1"), 1)
    assert resolve_schedule(gpus=1, jobs_per_gpu=3) == Schedule(("cuda:0",), 3)
    assert resolve_device("auto") == "cuda:0"


def test_workers_share_the_cores(gpus: None) -> None:
    assert resolve_schedule(gpus=0) == Schedule(("cpu",), 4, threads=2)
    assert resolve_schedule(gpus=0, jobs=3) == Schedule(("cpu",), 3, threads=2)
    assert resolve_schedule(gpus=0, jobs=16) == Schedule(("cpu",), 16, threads=1)


def test_more_gpus_than_there_are(gpus: None) -> None:
    with pytest.raises(RelevanceError) as error:
        resolve_schedule(gpus=4)
    assert str(error.value) == (
        "--gpus 4: this machine has 2 GPU(s). Ask for as many, or leave the option out."
    )
    with pytest.raises(RelevanceError, match=r"--device cuda:2: this machine has 2 GPU\(s\)"):
        resolve_device("cuda:2")
    with pytest.raises(RelevanceError, match="'gpu' is no device"):
        resolve_device("gpu")


def test_a_schedule_for_one_device(gpus: None) -> None:
    assert schedule_on("cuda:1") == Schedule(("cuda:1",))
    assert schedule_on("cpu") == Schedule(("cpu",), 4, threads=2)
    with pytest.raises(RelevanceError, match=r"--device cuda:2: this machine has 2 GPU\(s\)"):
        schedule_on("cuda:2")
