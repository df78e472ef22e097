"""What has changed before a study is gone on with: refused with what it is, or, where allowed, written down."""

from __future__ import annotations

import importlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from gaopt import Gene, Space, load
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Opened
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import Plain, Report, Task, resolve
from gaopt.study.loop import run
from gaopt.study.prepare import resumed
from gaopt.study.resume_check import changes
from tests.conftest import toy
from tests.integration.test_cli import invoke

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StudyDir]:
    """A finished study of an objective that lies in mine.py of the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    config = replace(toy(population=4, generations=2), objective="mine:score", space=Space(lr=Gene(0.1, 1.0)))
    code(factor=1)
    run(replace(config, settings={"settings": {"colour": "red"}}), tmp_path / "results" / "mine")
    yield StudyDir(tmp_path / "results" / "mine")
    sys.modules.pop("mine", None)


def code(factor: int) -> None:
    """Write the objective anew, as it is read by the next process."""
    Path("mine.py").write_text(f"import model\ndef score(task, report):\n    return task.genes['lr'] * {factor}\n")
    if not Path("model.py").exists():
        Path("model.py").write_text("HEIGHT = 1\n")
    for name in ("mine", "model"):
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def history(study: StudyDir) -> History:
    return History(Journal(study.journal))


@pytest.mark.smoke
def test_other_code_is_refused_with_its_name_and_allowed_it_is_written_down(study: StudyDir, capfd: Captured) -> None:
    Path("model.py").write_text("HEIGHT = 2\n")  # which the objective imports
    code(factor=2)
    before = study.journal.read_bytes()
    told, _, err = invoke(capfd, "resume", "mine", "--generations", "3")
    assert told == 2
    assert err.splitlines()[-1] == (
        "gaopt: the study was begun with other code mine, code model: start a new one,"
        " or go on all the same with --allow-changed (in Python allow_changed=True), which writes it down"
    )
    assert study.journal.read_bytes() == before
    told, _, err = invoke(capfd, "resume", "mine", "--generations", "3", "--allow-changed")
    assert (told, "changed since: other code mine, code model" in err) == (0, True)
    _, (opened, ended) = history(study).openings
    assert (opened.changed, ended) == (("other code mine, code model",), 6)
    said = "After 6 trainings the study was gone on with although there had changed: other code mine, code model."
    assert said in study.markdown.read_text("utf-8")
    assert invoke(capfd, "resume", "mine", "--generations", "4")[0] == 0  # it is known now


@pytest.mark.smoke
def test_a_config_that_was_changed_by_hand_is_refused_and_allowed_it_holds(study: StudyDir, capfd: Captured) -> None:
    for now, before in (("blue", "red"), ("red", "blue")):  # and put back by hand it is changed again
        study.config.write_text(study.config.read_text("utf-8").replace(f'"{before}"', f'"{now}"'))
        code, _, err = invoke(capfd, "resume", "mine")
        said = f"config.toml was changed: settings.colour = '{before}', now it is '{now}': put it back, or go on"
        assert (code, said in err) == (2, True)
        assert invoke(capfd, "resume", "mine", "--allow-changed")[0] == 0
        assert history(study).config["settings"] == {"colour": now}
        assert history(study).openings[-1][0].changed == (f"settings.colour = '{before}', now it is '{now}'",)


def test_a_config_that_a_killed_driver_left_as_it_was_is_not_one_that_was_changed(
    study: StudyDir, capfd: Captured
) -> None:
    old = study.config.read_bytes()
    assert invoke(capfd, "resume", "mine", "--allow-changed", "--set", "settings.colour=blue")[0] == 0
    study.config.write_bytes(old)  # killed before it was written
    with closing(sqlite3.connect(study.journal)) as journal, journal:
        journal.execute("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)")  # and before this
    assert invoke(capfd, "resume", "mine")[0] == 0
    assert history(study).config["settings"] == {"colour": "blue"}


def test_a_config_that_a_disk_lost_is_refused_and_allowed_the_journal_s_holds(study: StudyDir) -> None:
    for content in (b"", b"[study\n", b"[study]\nseed = \xff\xfe"):
        study.config.write_bytes(content)
        with pytest.raises(ConfigError, match=r"mend it, or remove it to go on with what the journal says$"):
            resumed(study)
    study.config.write_bytes(b"")
    assert resumed(study, allow_changed=True).plain() == history(study).config
    study.config.unlink()
    assert resumed(study).plain() == history(study).config


def test_how_far_it_goes_may_be_changed_by_hand(study: StudyDir, capfd: Captured) -> None:
    study.config.write_text(study.config.read_text("utf-8").replace("generations = 2", "generations = 3"))
    for more, generations in (([], 3), (["--generations", "4"], 4)):
        assert invoke(capfd, "resume", "mine", *more)[0] == 0
        assert len(history(study).populations) == generations
    assert "generations = 4" in study.config.read_text("utf-8")


@pytest.mark.smoke
def test_another_search_is_never_allowed(study: StudyDir) -> None:
    for change in ("study.seed=7", "space.lr.high=2.0", "genetic.population=6"):
        with pytest.raises(StudyError, match=r"the study was begun with .*, now it is .*: start a new one$"):
            resumed(study, [change], allow_changed=True)


@pytest.mark.smoke
def test_other_data_and_libraries_are_told_by_name() -> None:
    config = toy()
    begun = {"data": "1", "library torch": "2.11.0", "code resnet/train.py": "aa"}
    past = History([Opened(config.plain(), "0.5.0", "host", 1, begun)])
    assert changes(past, config, begun) == ()
    assert changes(past, config, {}) == ()
    for part in begun:
        with pytest.raises(StudyError, match=f"the study was begun with other {part}: start a new one, or"):
            changes(past, config, begun | {part: "another"})
    assert changes(past, config, {"data": "2"}, allowed=True) == ("other data, library torch, code resnet/train.py",)


class Seen(Plain):
    """An objective that remembers with which settings it judged."""

    judged: ClassVar[list[object]] = []

    def __call__(self, task: Task, report: Report) -> float:
        if task.judge:
            self.judged.append(task.settings["settings"]["colour"])
        return 0.5


seen = Seen(lambda task, report: 0.5, judges=True)


def test_the_best_is_judged_as_it_was_trained(home: StudyDir) -> None:
    red = replace(
        toy(population=2, generations=1),
        objective="tests.integration.test_changed:seen",
        settings={"settings": {"colour": "red"}},
    )
    run(red, home, judge=False)
    run(replace(red, settings={"settings": {"colour": "blue"}}), home, allow_changed=True)
    assert Seen.judged == ["red"]


NEW = {
    "recipe": ("name", "schedule", "drops", "recompute", "chance"),
    "net": ("join", "width", "units"),
    "genetic": ("retrain",),
}


@pytest.mark.smoke
def test_keys_that_a_study_s_version_did_not_have_are_at_their_defaults_and_stay_so(
    home: StudyDir,
) -> None:
    config = load("quick", ["study.strategy=genetic"])
    whole = resolve(config.objective).check(config).plain()
    older = {name: {key: value for key, value in table.items() if key not in NEW.get(name, ())}
             for name, table in whole.items()}  # fmt: skip
    home.make()
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened(older, "0.0.1", "host", 1))
    assert resolve(config.objective).check(resumed(home)).plain() == whole
    resumed(home, ["recipe.schedule=one_cycle", "net.join=add"])
    for key, given, default in (("schedule", "steps", "one_cycle"), ("name", "paper", "one_cycle")):
        with pytest.raises(StudyError, match=f"begun with recipe.{key} = '{default}', now it is '{given}'"):
            resumed(home, [f"recipe.{key}={given}"])
