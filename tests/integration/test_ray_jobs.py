"""The service's own Ray: heads that outlive who started them, and studies as jobs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import tomli_w

from gaopt import PoolConfig
from gaopt.errors import ConfigError, Lost
from gaopt.journal.events import Closed, Reported
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.report.tables import individuals
from gaopt.serve import ray_head
from gaopt.serve.folder import ServiceDir
from gaopt.serve.ray_head import Head
from gaopt.serve.ray_jobs import RayJobs, joined
from gaopt.serve.runner import began
from gaopt.study.loop import run
from tests.conftest import ROOT, toy
from tests.serving import eventually

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
HEAD = """
import sys
from pathlib import Path
from gaopt.serve.folder import ServiceDir
from gaopt.serve.ray_head import head
head(ServiceDir(Path(sys.argv[1])))
"""


class Service:
    """A folder, and a Ray head that was started by a process that has ended since."""

    def __init__(self, results: Path) -> None:
        self.results, self.folder = results, ServiceDir(results / ".serve")
        self.folder.make()
        self.job = ""  # what was begun last
        subprocess.run([sys.executable, "-c", HEAD, str(self.folder.path)], cwd=ROOT, check=True, timeout=600)
        self.head = self.find()

    def find(self) -> Head:
        return ray_head.head(self.folder)

    def runner(self) -> RayJobs:
        return RayJobs(self.find, {"GAOPT_RESULTS": str(self.results), "PYTHONPATH": str(ROOT)})

    def begin(self, name: str, runner: RayJobs, **changes: object) -> str:
        config = replace(toy(), pool=PoolConfig(gpus=0, dashboard=False), **changes)  # type: ignore[arg-type]
        self.folder.config(1).write_text(tomli_w.dumps(config.plain()))
        command = ["run", str(self.folder.config(1)), "--name", name]
        self.job = runner.start(f"{name}-1", command, self.folder.log(1), {"study": name, "preset": "toy"})
        return self.job

    def study(self, name: str) -> StudyDir:
        return StudyDir(self.results / name)


def everyone(head: Head) -> list[psutil.Process]:
    process = psutil.Process(head.pid)
    return [process, *process.children(recursive=True)]


def listening(head: Head) -> set[str]:
    """The names of its processes that listen, all of them on this machine only."""
    names = set()
    for process in everyone(head):
        with suppress(psutil.NoSuchProcess):
            found = [each.laddr for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
            names |= {process.name() for _ in found}
            assert {address.ip for address in found} <= LOOPBACK, process
    return names


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Service]]:
    """Two services beside each other, begun at the same time."""
    with ThreadPoolExecutor() as threads:
        found = list(threads.map(Service, [tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")]))
    yield found
    for each in found:
        ray_head.stop(each.head)


def test_a_head_outlives_who_started_it_and_listens_on_this_machine_only(two: list[Service]) -> None:
    first, second = (each.head for each in two)
    assert first.alive
    assert second.alive
    assert not {first.address, first.dashboard} & {second.address, second.dashboard}
    needed = {"gcs_server", "raylet", "ray::DashboardAgent", "ray::RuntimeEnvAgent"}
    for head in (first, second):
        for process in everyone(head):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                assert "ray.util.client.server" not in process.cmdline()
        eventually(lambda head=head: listening(head) >= needed)
    assert {path.stat().st_mode & 0o77 for path in (two[0].folder.ray, Path(first.folder))} == {0}


def test_studies_as_jobs_on_two_heads_one_to_its_end_and_one_stopped(two: list[Service], tmp_path: Path) -> None:
    first, second = (each.runner() for each in two)
    naps = {"objective": "tests.faulty:naps", "settings": {"settings": {"epochs": 600, "seconds": 0.1}}}
    naps_job, toy_job = two[1].begin("naps", second, **naps), two[0].begin("toy", first)
    assert two[0].begin("toy", two[0].runner()) == toy_job  # a service that was killed before it wrote that down

    eventually(lambda: not first.alive(toy_job))
    with Journal(two[0].study("toy").journal) as journal:
        history, events = History(journal), list(journal)
    assert [event.reason for event in events if isinstance(event, Closed)] == ["finished"]
    inline = run(toy(), StudyDir(tmp_path / "inline"))
    tables = [individuals(each).drop(columns="seconds").to_csv() for each in (history, inline)]
    assert tables[0] == tables[1]

    log = two[0].folder.log(1).read_text()
    assert f"{two[0].head.dashboard} " in log  # it trained there
    job = asked(f"{two[0].head.dashboard}/api/jobs/{toy_job}")
    assert (job["status"], job["metadata"]) == ("SUCCEEDED", {"study": "toy", "preset": "toy"})
    assert asked(f"{two[0].head.dashboard}/api/jobs/{toy_job}/logs")["logs"] == log
    assert first.link(toy_job) == f"{two[0].head.dashboard}/#/jobs/{toy_job}"

    # What Prometheus is told to ask: docker/prometheus.yml.
    nodes = [node for each in asked(f"{two[0].head.dashboard}/api/prometheus/sd") for node in each["targets"]]
    eventually(
        lambda: {("toy", "scored"): len(history.scored), ("toy", "failed"): len(history.failed)} == counted(nodes)
    )

    naps_journal = two[1].study("naps").journal
    eventually(lambda: naps_journal.exists() and any(isinstance(event, Reported) for event in Journal(naps_journal)))
    assert any(name.startswith("ray::g0 i") for name in listening(two[1].head))  # workers, and drivers
    assert not first.alive(naps_job)  # the other's
    second.stop(naps_job)
    eventually(lambda: not second.alive(naps_job))
    assert list(Journal(naps_journal))[-1].reason == "interrupted"
    second.stop(naps_job)


def counted(nodes: list[str]) -> dict[tuple[str, str], float]:
    """Trainings by study and outcome, as Ray's nodes tell Prometheus."""
    found = {}
    for node in nodes:
        with suppress(OSError), urllib.request.urlopen(f"http://{node}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("ray_gaopt_trainings_total{"):
                    labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
                    found[labels["study"], labels["outcome"]] = float(line.split()[-1])
    return found


def asked(url: str) -> Any:
    """What Ray's dashboard answers to who has the token."""
    token = (Path.home() / ".ray" / "auth_token").read_text()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


def test_a_cluster_is_joined_by_its_address(two: list[Service], monkeypatch: pytest.MonkeyPatch) -> None:
    head = joined(two[0].head.address)
    assert head == Head(two[0].head.address, two[0].head.dashboard)
    ray_head.stop(head)  # not the service's to end
    assert head.alive
    job = two[0].begin("toy", two[0].runner())  # the one that is there, if there is one
    monkeypatch.setenv("RAY_ADDRESS", two[1].head.address)
    assert RayJobs(lambda: head, {})._status(job)  # the other knows of none
    with pytest.raises(ConfigError, match=r"the Ray cluster at '127.0.0.1:1' cannot be joined: .*refused"):
        joined("127.0.0.1:1")
    with pytest.raises(Lost, match=r"the Ray dashboard at http://127.0.0.1:1 does not answer"):
        RayJobs(lambda: Head("127.0.0.1:1", "http://127.0.0.1:1"), {})


def test_a_head_ends_with_all_of_its_processes_and_no_other(two: list[Service]) -> None:
    runner, gone = two[1].runner(), everyone(two[1].head)
    ray_head.stop(two[1].head)
    assert not any(began(process.pid) for process in gone)
    assert not Path(two[1].head.folder).exists()
    assert not runner.alive(two[1].job)
    assert two[0].head.alive


def test_another_head_takes_the_place_of_one_that_died(two: list[Service]) -> None:
    runner, gone = two[0].runner(), everyone(two[0].head)
    gone[0].kill()
    psutil.wait_procs(gone, timeout=30)
    assert not runner.alive(two[0].job)
    job = two[0].begin("late", runner)
    two[0].head = two[0].find()
    assert two[0].head.dashboard == runner.head.dashboard
    assert runner.alive(job)


def test_a_head_that_cannot_start_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ServiceDir(tmp_path / ".serve")
    folder.make()
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "too_long".ljust(80, "_")))
    os.mkdir(os.environ["RAY_TMPDIR"])
    with pytest.raises(ConfigError, match=r"^'.*' is too long for the paths of Ray's sockets: set RAY_TMPDIR=/tmp$"):
        ray_head.head(folder)
    assert not os.listdir(os.environ["RAY_TMPDIR"])
    monkeypatch.setattr(ray_head, "free", lambda port: False)
    with pytest.raises(Lost, match=re.escape("Ray cannot be started: no port from 8265 to 8315 is free")):
        ray_head.head(folder)
    assert not folder.ray.exists()
