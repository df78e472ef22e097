"""What a user meets at the edges: a folder that is gone, an odd config file, a clean-up that fails, a spoilt worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
import tomli_w

from gaopt import PoolConfig, Score, Task, __version__
from gaopt.cli import cli
from gaopt.errors import Diverged, StudyError
from gaopt.execution import Begun, worker
from gaopt.journal.events import Failed, Outcome, Reported, Scored
from gaopt.objectives.base import Report
from gaopt.study.loop import run
from tests.conftest import ROOT, toy
from tests.integration.test_cli import invoke


def test_without_a_current_folder_every_verb_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for verb in cli.commands:
        assert invoke(capfd, verb) == (2, "", "gaopt: the current folder was removed: change to another one, with cd\n")
    with pytest.raises(StudyError, match="the current folder was removed"):
        run(toy(), tmp_path / "study")


def test_a_config_may_begin_with_a_byte_order_mark_and_come_through_a_pipe(
    results: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "toy.toml"
    config.write_text(tomli_w.dumps(toy(population=2, generations=1).plain()), "utf-8-sig")
    assert invoke(capfd, "run", str(config))[0] == 0
    command = f"{sys.executable} -m gaopt run <(cat {config})"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in results.iterdir()) == ["study-1", "toy-1"]


def test_the_version_is_told_shortly(capfd: pytest.CaptureFixture[str]) -> None:
    assert invoke(capfd, "-V") == invoke(capfd, "--version") == (0, f"gaopt, version {__version__}\n", "")


IN_A_THREAD = """
import signal, threading
import ray
from gaopt import PoolConfig
from gaopt.execution.ray.pool import Cluster

signal.signal(signal.SIGTERM, lambda *_: None)
def go():
    try:
        pool = Cluster("gaopt.objectives.toy:sphere", PoolConfig(gpus=0, dashboard=False))
        pool._running = {"no stream": None}  # Ray refuses to cancel that
        try: pool.close()
        except TypeError: print("not cancelled")
        print("blocked" if signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, ()) else "heard")
    except BaseException as error: print(repr(error))
thread = threading.Thread(target=go); thread.start(); thread.join()
print("left running" if ray.is_initialized() else "ended", signal.getsignal(signal.SIGTERM).__name__)
"""


def test_a_clean_up_goes_on_where_a_step_of_it_fails_also_in_a_thread() -> None:
    done = subprocess.run([sys.executable, "-c", IN_A_THREAD], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:3] == ["not cancelled", "heard", "ended <lambda>"], done.stdout + done.stderr


def ends_as_told(task: Task, report: Report) -> Score:
    """Says in which process, and ends as the gene says."""
    report(1, {"pid": os.getpid()})
    match task.genes["ends"]:
        case "diverged":
            raise Diverged("far")
        case "memory":
            raise MemoryError
        case "error":
            raise ValueError
        case "patched":
            worker.queue.SimpleQueue = None  # type: ignore[assignment, misc]
    return Score(0.5)


@pytest.fixture
def ray_here() -> Iterator[None]:
    import ray

    os.chdir(ROOT)
    ray.init(address="local", num_cpus=1, log_to_driver=False, configure_logging=False)
    yield
    ray.shutdown()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_process_that_may_be_spoilt_trains_nobody_else(ray_here: None) -> None:
    from gaopt.execution.ray.pool import Cluster

    def train(ends: str) -> tuple[Outcome, float]:
        pool.submit(Task("s", 0, 0, {"ends": ends}, 0, {}, ROOT, ROOT))
        pid = 0.0
        while True:
            word = pool.wait()
            if isinstance(word, Reported):
                pid = word.metrics["pid"]
            elif word is not None and not isinstance(word, Begun):
                return word, pid

    with closing(Cluster(f"{__name__}:ends_as_told", PoolConfig(gpus=0.0))) as pool:
        pids = [train(ends)[1] for ends in ("well", "diverged", "memory", "error", "well", "error", "error", "well")]
        assert [one == next for one, next in pairwise(pids)] == [
            *(True, True),  # to diverge spoils nothing
            False,  # a new one after memory
            *(True, True, True),  # one error alone spoils nothing
            False,  # a new one after two errors in a row
        ]
        train("patched")
        outside, _ = train("well")  # gaopt itself fails in that process: no fault of the individual
        assert isinstance(outside, Failed)
        assert (outside.reason, "NoneType" in outside.message) == ("killed", True)
        assert isinstance(train("well")[0], Scored)
