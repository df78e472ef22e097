"""The queue and what begins its runs: what there is of a study after whatever was asked, or went wrong."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gaopt.errors import ConfigError, Lost, StudyError, Unwritable
from gaopt.journal.events import Closed, Opened
from gaopt.journal.journal import Journal
from gaopt.journal.lock import StudyLock
from gaopt.journal.paths import StudyDir
from gaopt.serve import service as module
from gaopt.serve.queue import Queue
from gaopt.serve.reader import written
from gaopt.serve.service import Service
from gaopt.serve.tokens import Tokens
from tests.conftest import toy
from tests.serving import Inside, inside, listing, toml


@pytest.fixture
def served() -> Iterator[Inside]:
    with inside() as found:
        yield found


@pytest.fixture
def turn(served):
    return served.service.dispatcher.turn


def home(served, name):
    return StudyDir(served.service.folder.path.parent / name)


def wrote(served, name, *events):
    """What its driver did."""
    with Journal(home(served, name).journal, write=True) as journal:
        for event in events:
            journal.append(event)


def dead(served):
    """What was begun has ended."""
    served.runner.living.clear()


def state(served, name):
    return served.ask("GET", f"/studies/{name}").json()["state"]


OPENED = Opened(toy().plain(), "1", "host", 1)


def test_first_in_first_out_in_one_slot(served, turn):
    for name in "abc":
        assert served.submit(name).status_code == 201
    assert [entry["name"] for entry in served.ask("GET", "/queue").json()["entries"]] == ["a", "b", "c"]
    served.ask("POST", "/queue/3/move", json={"position": 0})
    turn()
    turn()
    assert [arguments[:1] + arguments[2:] for arguments in served.runner.started] == [["run", "--name", "c"]]
    assert (state(served, "c"), state(served, "a")) == ("starting", "queued")
    wrote(served, "c", OPENED, Closed("finished"))
    dead(served)
    turn()
    assert (state(served, "c"), state(served, "a")) == ("finished", "starting")


def test_what_was_killed_goes_on_three_times(served, turn):
    served.submit("a")
    turn()
    for _ in range(4):
        wrote(served, "a", OPENED)
        dead(served)
        turn()
    assert [arguments[0] for arguments in served.runner.started] == ["run", "resume", "resume"]
    found = served.ask("GET", "/studies/a").json()
    assert (found["state"], found["error"]) == ("cut off", "it was killed 3 times")


def test_a_service_that_is_killed_while_it_begins_a_run_begins_the_same_again(served, turn):
    served.submit("a")
    entry = served.service.queue.of("a")
    served.service.queue.change(entry.id, "starting", attempts=1)
    turn()
    assert served.runner.living == {f"gaopt-a-{entry.id}-1-{int(entry.created)}"}


def test_a_resume_that_was_not_begun_is_begun_and_one_that_is_refused_says_why(served, turn):
    served.submit("a")
    turn()
    wrote(served, "a", OPENED, Closed("interrupted"))
    dead(served)
    turn()
    assert served.ask("POST", "/studies/a/resume").status_code == 202
    served.service.queue.change(2, "starting", attempts=1, before=written(home(served, "a")))  # and then it was killed
    turn()
    assert [arguments[0] for arguments in served.runner.started] == ["run", "resume"]
    served.service.folder.log(2).write_text("gaopt: no images there\n")
    dead(served)
    turn()
    found = served.ask("GET", "/studies/a").json()
    assert (found["state"], found["error"]) == ("interrupted", "no images there")


def test_a_stop_that_was_not_heard_can_be_asked_for_again(served, turn, monkeypatch):
    served.submit("a")
    turn()
    wrote(served, "a", OPENED)
    with monkeypatch.context() as away:
        away.setattr(served.runner, "stop", lambda handle: (_ for _ in ()).throw(Lost("Ray does not answer")))
        assert served.ask("POST", "/studies/a/stop").status_code == 503
    assert served.ask("POST", "/studies/a/stop").status_code == 202
    assert len(served.runner.stopped) == 1


def test_a_driver_that_lives_is_left_alone_also_without_its_handle(served, turn):
    served.submit("a")
    served.service.queue.change(served.service.queue.of("a").id, "starting", attempts=1)
    lock = StudyLock(home(served, "a").path)
    turn()
    assert not served.runner.started
    lock.release()


def test_while_ray_is_away_what_waits_waits(served, turn):
    served.submit("a")
    served.runner.fails = Lost("Ray does not answer")
    with pytest.raises(Lost):
        turn()
    (entry,) = served.ask("GET", "/queue").json()["entries"]
    assert (entry["state"], entry["error"]) == ("queued", "Ray does not answer")
    served.runner.fails = ConfigError("it is refused")
    turn()
    found = served.ask("GET", "/studies/a").json()
    assert (found["state"], found["error"]) == ("failed", "it is refused")


def test_a_study_that_never_began_tells_the_last_words_of_its_command(served, turn):
    served.submit("a")
    turn()
    served.service.folder.log(1).write_text("Traceback\ngaopt: no images there\n")
    dead(served)
    turn()
    found = served.ask("GET", "/studies/a").json()
    assert (found["state"], found["error"]) == ("failed", "no images there")


@pytest.mark.parametrize("way", ["stop", "cancel", "stop while it starts"])
def test_a_study_that_is_taken_off_the_queue_leaves_nothing(served, turn, way):
    before = listing(served.service.folder.path.parent).keys()
    served.submit("a", note="for later")
    if way == "cancel":
        assert served.ask("DELETE", "/queue/1").status_code == 204
    elif way == "stop":
        assert served.ask("POST", "/studies/a/stop").json()["state"] == "cancelled"
    else:
        turn()
        assert served.ask("POST", "/studies/a/stop").json()["state"] == "stopping"
        assert len(served.runner.stopped) == 1
        (home(served, "a").path / "study.lock").touch()
        dead(served)
        turn()
    assert listing(served.service.folder.path.parent).keys() == before
    assert served.ask("GET", "/studies").json()["studies"] == []
    assert served.ask("POST", "/studies/a/stop").status_code == 404
    assert served.submit("a").status_code == 201


def test_stop_then_resume_then_extend(served, turn):
    served.submit("a")
    turn()
    wrote(served, "a", OPENED)
    assert served.ask("POST", "/studies/a/resume").status_code == 409
    assert served.ask("POST", "/studies/a/stop").status_code == 202
    assert served.ask("POST", "/studies/a/stop").status_code == 202  # a second time asks nobody
    assert len(served.runner.stopped) == 1
    wrote(served, "a", Closed("interrupted"))
    dead(served)
    turn()
    assert state(served, "a") == "interrupted"
    assert served.ask("POST", "/studies/a/stop").status_code == 409
    assert served.ask("POST", "/studies/a/extend", json={"generations": 9}).json()["state"] == "queued"
    assert served.ask("POST", "/studies/a/extend", json={"generations": 9}).status_code == 409
    turn()
    assert served.runner.started[-1] == ["resume", "a", "--generations", "9"]
    assert state(served, "a") == "starting"


def test_a_study_can_go_on_as_soon_as_its_journal_is_closed(served, turn):
    served.submit("a")
    turn()
    wrote(served, "a", OPENED, Closed("finished"))  # its process still puts Ray away
    assert "extend" in served.ask("GET", "/studies/a").json()["allowed"]
    assert served.ask("POST", "/studies/a/extend", json={"generations": 9}).status_code == 202
    turn()
    assert len(served.runner.started) == 1


def test_a_study_that_somebody_runs_by_hand_is_theirs(served):
    home(served, "mine").make()
    wrote(served, "mine", OPENED)
    with Journal(home(served, "mine").journal, write=True):
        answer = served.ask("POST", "/studies/mine/stop")
        assert (answer.status_code, "stop it where it was started" in answer.text) == (409, True)
        assert served.ask("POST", "/studies/mine/resume").status_code == 409
    assert served.ask("POST", "/studies/mine/resume").status_code == 202


def test_the_same_name_at_once_is_one_study(served):
    with ThreadPoolExecutor(8) as many:
        found = list(many.map(lambda _: served.submit("a").status_code, range(8)))
    assert sorted(found) == [201] + [409] * 7
    wrote(served, "a", OPENED)
    served.service.queue.change(1, "ended")
    assert served.submit("a").status_code == 409


def test_the_same_key_is_the_same_study(served):
    def ask(headers):
        return served.ask("POST", "/studies", json={"config": toml()}, headers=headers)

    with ThreadPoolExecutor(8) as many:
        found = list(many.map(ask, [{"Idempotency-Key": "k"}] * 8))
    assert sorted(each.status_code for each in found) == [200] * 7 + [201]
    assert {each.json()["name"] for each in found} == {"study-1"}
    assert len(list(home(served, ".serve/configs").path.iterdir())) == 1
    assert ask({"Idempotency-Key": "l"}).json()["name"] == "study-2"
    served.ask("DELETE", "/queue/1")
    assert ask({"Idempotency-Key": "k"}).json()["state"] == "cancelled"


@pytest.mark.parametrize("place", ["write_private", "_write", "queue"])
def test_a_full_disk_leaves_nothing_half_written(served, monkeypatch, place):
    def full(*_):
        raise Unwritable("no room")

    before = listing(served.service.folder.path.parent)
    if place == "queue":
        served.service.queue._execute("PRAGMA query_only = ON")
    else:
        monkeypatch.setattr(module, place, full)
    answer = served.submit("a", note="x")
    assert answer.status_code == 507
    assert listing(served.service.folder.path.parent) == before


def test_damaged_files_are_one_sentence(served):
    folder = served.service.folder
    folder.tokens.write_text('{"owner": {"scope": "write"}}')
    answer = served.ask("GET", "/studies")
    assert (answer.status_code, f"{folder.tokens} cannot be read" in answer.json()["detail"]) == (500, True)
    for text in ("{", "[]", '{"a": 1}'):
        folder.tokens.write_text(text)
        with pytest.raises(StudyError, match="cannot be read"):
            Tokens(folder).users  # noqa: B018
    served.service.queue.close()
    folder.queue.write_bytes(b"no database" * 1000)
    with pytest.raises(StudyError, match="cannot be used"):
        Queue(folder.queue)


def test_a_journal_that_is_damaged_is_listed_with_its_sentence(served):
    served.submit("a")
    home(served, "a").journal.write_bytes(b"no database" * 1000)
    served.service.queue.change(1, "ended")
    (found,) = served.ask("GET", "/studies").json()["studies"]
    assert (found["state"], "is not a journal" in found["error"]) == ("unreadable", True)
    for path in ("", "/snapshot", "/events", "/failures", "/individuals/0"):
        assert served.ask("GET", f"/studies/a{path}").status_code == 400


def test_the_queue_outlives_its_service(results):
    with inside() as first:
        first.submit("a", tags=["t"])
        token = first.bearer
    with inside() as second:
        assert second.ask("GET", "/studies?tag=t").json()["studies"][0]["state"] == "queued"
        assert second.client.get("/api/v1/queue", headers=token).status_code == 401  # its owner has a new token


def test_an_unexpected_fault_is_a_problem_too(served, monkeypatch):
    monkeypatch.setattr(Service, "entries", lambda _: 1 / 0)
    answer = served.ask("GET", "/queue")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "ZeroDivision" not in answer.text
