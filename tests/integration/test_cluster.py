"""Ray for real: a local cluster with two logical GPUs, as on a machine that has them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest
import ray

from gaopt import PoolConfig, StudyConfig
from gaopt.errors import ConfigError, DataError
from gaopt.execution import Begun
from gaopt.execution.ray import liveness
from gaopt.execution.ray.pool import Cluster
from gaopt.journal.events import Outcome, Reported, Scored
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Plain, Report, Score, Task
from gaopt.report.tables import individuals
from gaopt.study.loop import run
from tests.conftest import ROOT, toy

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

HERE = "tests.integration.test_cluster"


@pytest.fixture(scope="module", autouse=True)
def two_gpus() -> Iterator[None]:
    os.chdir(ROOT)
    there = {"num_cpus": 2, "num_gpus": 2, "resources": {"FPGA": 3}}
    ray.init(address="local", log_to_driver=False, configure_logging=False, **there)
    yield
    ray.shutdown()


def where(task: Task, report: Report) -> Score:
    """Says which GPU and which process it was given, and waits for its sibling to do so."""
    gpu = float(os.environ["CUDA_VISIBLE_DEVICES"])
    report(1, {"gpu": gpu, "pid": os.getpid(), "began": time.time()})
    time.sleep(0.5)
    return Score(gpu, {"ended": time.time()})


def shared(task: Task, report: Report) -> float:
    return float(len(task.shared))


def run_on_ray(objective: str, **genetic: float) -> StudyConfig:
    return replace(toy(**genetic), objective=f"{HERE}:{objective}", pool=PoolConfig(gpus=1.0))


def collect(pool: Cluster, tasks: int) -> list[Outcome]:
    found: list[Outcome] = []
    while sum(not isinstance(outcome, Reported) for outcome in found) < tasks:
        if (outcome := pool.wait()) and not isinstance(outcome, Begun):
            found.append(outcome)
    return found


def task(individual: int, **genes: float) -> Task:
    return Task("s", individual, 0, genes or {"lr": 1e-3}, 0, {}, ROOT, ROOT)


def test_two_individuals_at_a_time_each_on_its_own_gpu_in_workers_that_are_reused(home: StudyDir) -> None:
    history = run(run_on_ray("where", population=4, generations=3), home)  # three, so that workers are used again
    reports = [i.reports[1].metrics for i in history.individuals.values()]
    assert {report["gpu"] for report in reports} == {0.0, 1.0}
    assert len({report["pid"] for report in reports}) <= 4
    spans = [(i.reports[1].metrics["began"], i.outcome.metrics["ended"], i.fitness)
             for i in history.scored if isinstance(i.outcome, Scored)]  # fmt: skip
    for began, _, gpu in spans:
        together = [other for start, end, other in spans if start <= began < end]
        assert len(together) <= 2
        assert together.count(gpu) == 1


def test_the_dashboard_sees_generation_individual_and_genes_in_the_names_of_tasks(home: StudyDir) -> None:
    from ray.util.state import list_tasks

    history = run(run_on_ray("where", population=2, generations=1), home)
    names: set[str] = set()
    deadline = time.monotonic() + 30
    expected = {
        f"g{i.generation} i{i.id} " + " ".join(f"{name}={value:.3g}" for name, value in i.genes.items())
        for i in history.individuals.values()
    }
    while not expected <= names and time.monotonic() < deadline:
        names = {found.name for found in list_tasks(address=ray.get_runtime_context().gcs_address, limit=10_000)}
    assert expected <= names


@pytest.mark.smoke
def test_a_search_on_ray_is_the_search_in_this_process(tmp_path) -> None:  # type: ignore[no-untyped-def]
    tables = []
    for name, pool in (("ray", PoolConfig(gpus=0.5)), ("inline", PoolConfig(kind="inline"))):
        home = StudyDir(tmp_path / name)
        run(replace(toy(), pool=pool), home)
        tables.append(individuals(History(Journal(home.journal))).drop(columns="seconds").to_csv())
    assert tables[0] == tables[1]


def leaves_a_child(task: Task, report: Report) -> float:
    """At its first try it dies as a worker whose loader of data lives on."""
    first = task.home / "first"
    if first.exists():
        return 0.5
    if (child := os.fork()) == 0:
        time.sleep(120)
        os._exit(0)
    first.write_text(str(child), "ascii")
    report(1, {"loss": 1.0})
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0.0


def test_a_worker_that_dies_while_a_process_that_it_forked_lives_costs_one_try(
    home: StudyDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "SILENT", 3.0)
    monkeypatch.setattr(liveness, "own_node", lambda: "")  # as of a worker on another node
    try:
        alone = replace(run_on_ray("leaves_a_child", population=2, generations=1), pool=PoolConfig(gpus=2.0))
        history = run(alone, home)
    finally:
        with suppress(ProcessLookupError):  # Ray may have ended it, too
            os.kill(int((home.path / "first").read_text("ascii")), signal.SIGKILL)
    assert [individual.fitness for individual in history.individuals.values()] == [0.5, 0.5]
    assert [retried.reason for one in history.individuals.values() for retried in one.retried] == ["killed"]


def test_what_goes_wrong_in_ray_is_no_fault_of_the_genes() -> None:
    from ray import exceptions

    from gaopt.execution.ray.reasons import reason as reason_of

    for error, reason in (
        (exceptions.RaySystemError("the connection to the object store is broken"), "killed"),
        (exceptions.RaySystemError(ImportError("no module"), "a traceback of unpickling"), "error"),
        (exceptions.RayError("an exception that does not pickle"), "error"),
        (exceptions.WorkerCrashedError(), "killed"),
        (exceptions.NodeDiedError("gone"), "node lost"),
        (exceptions.OutOfMemoryError("the node is short of memory"), "out of memory"),
        (exceptions.OutOfDiskError("full"), "disk"),
        (exceptions.RayTaskError("f", "traceback", ValueError("no")), "error"),
        (ValueError("no"), "error"),
    ):
        assert reason_of(error) == reason


class Lock:
    """Does not pickle."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, task: Task, report: Report) -> float:
        return 0.5


def test_a_worker_has_what_the_driver_has_a_function_or_the_name_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a program, of a module that only the driver's path leads to, or of none."""
    (tmp_path / "only_here.py").write_text("def score(task, report): return 0.5")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here  # type: ignore[import-not-found]

    program = {"__name__": "__main__", "step": 0.25}
    exec("def score(task, report): return step + step", program)
    monkeypatch.setattr(sys.modules["__main__"], "score", program["score"], raising=False)
    score = only_here.score
    for objective in ("only_here:score", score, "__main__:score", program["score"], lambda task, report: 0.5,
                      partial(score)):  # fmt: skip
        with closing(Cluster(objective, PoolConfig())) as pool:
            pool.submit(task(0))
            [scored] = collect(pool, 1)
        assert isinstance(scored, Scored), scored
        assert scored.fitness == 0.5


def test_an_objective_that_no_worker_has_is_refused_before_anything_is_written(
    home: StudyDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    (module := ModuleType("of_the_driver")).score = lambda task, report: 0.5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "of_the_driver", module)
    module.score.__module__, module.score.__qualname__ = "of_the_driver", "score"
    why = "no worker can load the objective 'of_the_driver:score': ModuleNotFoundError: No module named 'of_the_driver'"
    for objective, sentence in (
        ("of_the_driver:score", why),
        (module.score, why),
        (Lock(), f"the objective '{HERE}:<Lock>' cannot be sent to a worker: TypeError: "),
    ):
        with pytest.raises(ConfigError, match=sentence):
            run(replace(run_on_ray("where"), objective=objective), home)
        assert not home.path.exists()


def test_what_was_prepared_reaches_every_task() -> None:
    with closing(Cluster(f"{HERE}:shared", PoolConfig(), lambda: (list(range(7)), {}, None))) as pool:
        for individual in range(2):
            pool.submit(task(individual))
        assert pool.room == 0
        assert [o.fitness for o in collect(pool, 2) if isinstance(o, Scored)] == [7.0, 7.0]


@dataclass(frozen=True)
class Laden(Plain):
    """An objective whose trainings need a library; it leaves a file when that is loaded."""

    loaded: Path = Path()

    def load_libraries(self) -> None:
        self.loaded.touch()


def test_a_worker_loads_what_trainings_need_while_data_are_prepared(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"

    def prepared() -> tuple[list[int], dict[str, str], None]:
        deadline = time.monotonic() + 60
        while not loaded.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return [7], {}, None

    def fails() -> NoReturn:
        raise DataError("no image")

    with closing(Cluster(Laden(shared, loaded=loaded), PoolConfig(), prepared)) as pool:
        pool.submit(task(0))
        [scored] = collect(pool, 1)
    assert isinstance(scored, Scored), scored
    with pytest.raises(DataError, match=r"^no image$"):
        Cluster(f"{HERE}:shared", PoolConfig(), fails)


def test_how_many_train_at_a_time_follows_from_the_config() -> None:
    for gpus, cpus, capacity in [(1.0, 1, 2), (0.5, 1, 4), (0.0, 2, 1)]:
        with closing(Cluster(f"{HERE}:where", PoolConfig(gpus=gpus, cpus=cpus))) as pool:
            assert pool.capacity == capacity == pool.room
    with pytest.raises(ConfigError, match=r"pool.cpus is 999: the cluster has 2 CPUs"):
        Cluster(f"{HERE}:where", PoolConfig(gpus=0, cpus=999))
    with pytest.raises(ConfigError, match=r"what the objective '.*:where' prepares cannot be sent to a worker: "):
        Cluster(f"{HERE}:where", PoolConfig(), lambda: (threading.Lock(), {}, None))


def resources(task: Task, report: Report) -> Score:
    return Score(0.0, ray.get_runtime_context().get_assigned_resources())


def test_an_accelerator_that_ray_does_not_count_as_a_gpu_is_asked_for_by_its_name() -> None:
    with closing(Cluster(f"{HERE}:resources", PoolConfig(gpus=0.5, accelerator="FPGA"))) as pool:
        assert pool.capacity == 6
        pool.submit(task(0))
        [scored] = collect(pool, 1)
    assert isinstance(scored, Scored), scored
    assert scored.metrics == {"FPGA": 0.5}
    with closing(Cluster(f"{HERE}:where", PoolConfig(gpus=0, accelerator="FPGA"))) as pool:
        assert pool.capacity == 2  # by CPUs
    with pytest.raises(ConfigError, match=r"^pool.accelerator is 'TPU': the cluster has FPGA, GPU$"):
        Cluster(f"{HERE}:where", PoolConfig(accelerator="TPU"))
    with pytest.raises(ConfigError, match=r"pool.gpus is 5: the cluster has 3 FPGAs"):
        Cluster(f"{HERE}:where", PoolConfig(gpus=5, accelerator="FPGA"))


def once_told(task: Task, report: Report) -> float:
    report(1, {"loss": 1.0})
    (task.folder / f"{task.individual}.done").touch()
    return 0.5


def test_a_pool_that_is_stopped_tells_what_had_ended_and_cancels_the_rest(tmp_path: Path) -> None:
    ended = [replace(task(id), folder=tmp_path) for id in (0, 1)]
    pool = Cluster(f"{HERE}:once_told", PoolConfig())
    for each in ended:
        pool.submit(each)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.done"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    pool.submit(replace(task(2), folder=tmp_path))  # nobody waits for it
    told = [outcome for outcome in pool.stop() if outcome.individual < 2]
    assert sorted(type(outcome).__name__ for outcome in told) == ["Reported", "Reported", "Scored", "Scored"]
    assert pool.room == pool.capacity


def test_closing_a_pool_that_did_not_start_ray_leaves_ray_running() -> None:
    pool = Cluster(f"{HERE}:where", PoolConfig())
    pool.submit(task(0))
    pool.close()
    assert ray.is_initialized()
