"""The streams: every event once, to whoever watches, from whichever number on."""

import asyncio
import json
import shutil
from contextlib import aclosing
from dataclasses import replace

import pytest

from gaopt.errors import StudyError
from gaopt.journal.events import Birth, Bred, Closed, Reported, Scored, Started
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.serve import reader as reading
from gaopt.serve import stream
from gaopt.serve.catalog import Catalog
from gaopt.serve.queue import Queue
from gaopt.serve.reader import Reader
from gaopt.serve.stream import Streams
from tests.conftest import begun, toy


@pytest.fixture
def catalog(results, monkeypatch):
    results.mkdir()
    for name in ("TURN", "LIST_TURN"):
        monkeypatch.setattr(stream, name, 0.01)
    return Catalog(Queue(results / "queue.db"))


@pytest.fixture
def home(catalog, results):
    found = StudyDir(results / "watched")
    begun(toy(), found)
    return found


def births(*ids):
    return Bred(0, tuple(Birth(id, {"lr": 1e-3, "wd": 0.01, "mom": 0.5}, "random") for id in ids))


def write(home, *events):
    with Journal(home.journal, write=True) as journal:
        for event in events:
            journal.append(event)


async def numbers(streams, after, until, pause=0.0):
    """The ids of the events up to a number, as a watcher gets them."""
    found = []
    async with aclosing(streams.study("watched", after)) as messages:
        async for chunk in messages:
            found += [int(line[4:]) for line in chunk.decode().splitlines() if line.startswith("id: ")]
            await asyncio.sleep(pause)
            if found and found[-1] >= until:
                return found
    return found


def watch(*watchers, timeout=20):
    async def all_of_them():
        return await asyncio.wait_for(asyncio.gather(*watchers), timeout)

    return asyncio.run(all_of_them())


@pytest.mark.parametrize("recent", [5_000, 3])
def test_each_watcher_gets_each_event_once(catalog, home, monkeypatch, recent):
    monkeypatch.setattr(reading, "RECENT", recent)
    monkeypatch.setattr(reading, "BATCH", 7)
    streams = Streams(catalog)

    def training(id):
        return Started(id), *(Reported(id, epoch, {"top1": 0.5}) for epoch in range(1, 11)), Scored(id, 0.5)

    async def driver():
        for event in (*training(1), Closed("finished")):
            await asyncio.sleep(0.01)
            write(home, event)

    write(home, births(0, 1), *training(0))  # 14 events with the first

    fast, slow, late, unknown, _ = watch(
        numbers(streams, 0, 27), numbers(streams, 0, 27, 0.02), numbers(streams, 9, 27),
        numbers(streams, 10**15, 27), driver(),
    )  # fmt: skip
    assert fast == slow == unknown == list(range(1, 28))
    assert late == list(range(10, 28))
    assert not streams._studies  # nobody watches


def test_the_last_event_is_told_also_while_a_watcher_is_busy(catalog, home):
    """What comes while a message is being sent must not wait for the next."""
    streams = Streams(catalog)

    async def busy():
        async with aclosing(streams.study("watched", 0)) as messages:
            async for chunk in messages:
                if b"progress" in chunk:
                    write(home, births(0))
                    await asyncio.sleep(0.1)
                    return [await anext(messages)]
        return None

    assert b"id: 2\n" in watch(busy(), timeout=5)[0][0]


def test_the_stream_of_a_study_that_is_removed_ends(catalog, home):
    streams = Streams(catalog)

    async def remove():
        found = b""
        async with aclosing(streams.study("watched", 0)) as messages:
            async for chunk in messages:
                found += chunk
                if b"id: " in chunk:
                    shutil.rmtree(home.path)
        return found

    [found] = watch(remove())
    assert (found.count(b"id: "), found.count(b"id: 1\n")) == (1, 1)
    with pytest.raises(StudyError, match="there is no study"):
        catalog.reader("watched")


def test_a_study_that_was_begun_anew_is_read_anew(home):
    """Also where its file has the number of the one that was removed."""
    reader = Reader(home)
    write(home, births(0), Started(0))
    assert reader.catch_up() == 3
    shutil.rmtree(home.path)
    begun(replace(toy(), seed=1), home)
    write(home, births(0, 1), Started(1), Started(0))
    assert reader.catch_up() == 4
    assert reader.history.config["study"]["seed"] == 1
    assert reader.lives == 2


def test_who_leaves_while_the_study_is_looked_at_is_counted_out(catalog, home):
    streams = Streams(catalog)

    async def hasty():
        for _ in range(20):
            task = asyncio.create_task(anext(streams.study("watched", 0)))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await asyncio.sleep(0.05)
        return len(asyncio.all_tasks())

    assert watch(hasty()) == [2]  # this one, and what waits for it
    assert not streams._studies


def test_a_message_is_what_a_browser_reads(home):
    with Journal(home.journal) as journal:
        number, event = next(journal.since(0))
    lines = reading.message(number, event).decode().split("\n")
    assert lines[:2] == ["id: 1", "event: Opened"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: "))["at"] == event.at


def test_the_list_tells_what_changed(catalog, home):
    streams = Streams(catalog)

    async def first():
        async with aclosing(streams.all()) as messages:
            found = []
            async for chunk in messages:
                if chunk.startswith(b"event"):
                    found.append(json.loads(chunk.decode().split("data: ")[1]))
                    if len(found) == 1:
                        write(home, Closed("finished"))
                    elif len(found) == 2:
                        shutil.rmtree(home.path)
                    else:
                        return found
                elif not found:
                    write(home, births(0))
        return None

    (found,) = watch(first())
    assert found[-1] == {"changed": [], "removed": ["watched"]}
