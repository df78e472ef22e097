"""Nodes that train, Ray's head and its raylet: how their loss is noticed, and how often it costs no try."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from gaopt.config import Faults
from gaopt.errors import Lost
from gaopt.execution.ray.health import HeadWatch
from gaopt.journal.events import Birth, Bred, Failed, Retried, Started
from gaopt.journal.history import History
from gaopt.study import retries
from tests.faults import nodes


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_without_a_node_that_trains_ends_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gaopt.execution.ray import pool
    from gaopt.study.loop import run

    monkeypatch.setattr(pool, "BARE", 1.0)
    with nodes.cluster(nodes=1) as there:
        [only] = there.worker_nodes

        def watch(history: History, event: object) -> None:
            if isinstance(event, Started) and event.individual == 1:
                there.worker_nodes.discard(only)
                nodes.lose(only)

        with pytest.raises(Lost, match=r"no node of the Ray cluster could train \(pool.cpus is 1\)"):
            run(nodes.study(there.address), tmp_path / "study", watch=watch)


def begun(*reasons: str) -> History:
    """One individual, begun again for these reasons."""
    history = History([Bred(0, (Birth(0, {"lr": 1e-3}, "random"),))])
    for reason in reasons:
        history.add(Started(0))
        history.add(Retried(0, reason))  # type: ignore[arg-type]
    return history


def test_a_lost_node_uses_up_none_of_the_tries() -> None:
    lost, killed = Failed(0, "node lost"), Failed(0, "killed")
    history = begun("node lost", "node lost", "node lost")
    assert isinstance(retries.settled(history, lost, Faults(retries=0)), Retried)
    assert retries.settled(history, killed, Faults(retries=0)) is killed
    assert isinstance(retries.settled(history, killed, Faults(retries=1)), Retried)
    assert retries.settled(begun("killed", "node lost"), killed, Faults(retries=1)) is killed


def test_an_individual_that_takes_node_after_node_along_fails() -> None:
    lost = Failed(0, "node lost")
    assert isinstance(retries.settled(begun(*["node lost"] * (retries.NODES - 1)), lost, Faults()), Retried)
    assert retries.settled(begun(*["node lost"] * retries.NODES), lost, Faults()) is lost


class Cluster:
    """A head and a raylet that do nothing but listen."""

    def __init__(self, folder: Path) -> None:
        self.head = socket.create_server(("127.0.0.1", 0))
        self.port = self.head.getsockname()[1]
        self.path = str(folder / "raylet")
        self.raylet = socket.socket(socket.AF_UNIX)
        self.raylet.bind(self.path)
        self.raylet.listen()

    def watch(self, grace: float) -> HeadWatch:
        found = HeadWatch(f"127.0.0.1:{self.port}", self.path, grace)
        self.held, _ = self.raylet.accept()
        return found

    def close(self) -> None:
        for one in (self.head, self.raylet, self.held):
            one.close()


def test_a_raylet_that_dies_is_noticed_at_once(tmp_path: Path) -> None:
    there = Cluster(tmp_path)
    watch = there.watch(grace=60.0)
    watch.check()
    there.held.close()
    with pytest.raises(Lost, match="the raylet, has died"):
        watch.check()
    watch.close()
    there.close()


def test_a_head_that_comes_back_in_time_was_never_lost(tmp_path: Path) -> None:
    there = Cluster(tmp_path)
    watch = there.watch(grace=30.0)
    there.head.close()

    def back() -> None:
        time.sleep(0.3)
        there.head = socket.create_server(("127.0.0.1", there.port))

    thread = threading.Thread(target=back)
    thread.start()
    watch.check()
    thread.join()
    watch.close()
    there.close()
