"""A study that was begun with another version goes on with this one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from gaopt import load
from gaopt.errors import ConfigError, StudyError
from gaopt.journal.events import Opened
from gaopt.journal.history import History
from gaopt.journal.journal import Journal
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import resolve
from gaopt.study.prepare import resumed
from gaopt.study.resume_check import changes

NEW = {
    "recipe": ("name", "schedule", "drops", "recompute", "chance"),
    "net": ("join", "width", "units"),
    "genetic": ("retrain",),
}


def whole() -> dict[str, Any]:
    config = load("quick", ["study.strategy=genetic"])
    return resolve(config.objective).check(config).plain()


def older() -> dict[str, Any]:
    """The same config as a version wrote it that did not have those keys yet."""
    tables = deepcopy(whole())
    for table, keys in NEW.items():
        for key in keys:
            del tables[table][key]
    return tables


def begun(home: StudyDir, tables: dict[str, Any]) -> StudyDir:
    home.make()
    with Journal(home.journal, write=True) as journal:
        journal.append(Opened(tables, "0.0.1", "host", 1))
    return home


def test_keys_that_a_study_s_version_did_not_have_count_as_their_defaults(home: StudyDir) -> None:
    config = resumed(begun(home, older()))
    assert resolve(config.objective).check(config).plain() == whole()
    changes(History([Opened(older(), "0.0.1", "host", 1)]), load("quick", ["study.strategy=genetic"]))


def test_a_new_key_may_be_given_with_its_default_and_with_no_other_value(home: StudyDir) -> None:
    begun(home, older())
    resumed(home, ["recipe.schedule=one_cycle", "net.join=add"])
    with pytest.raises(StudyError, match=r"begun with recipe.schedule = 'one_cycle', now it is 'steps'"):
        resumed(home, ["recipe.schedule=steps"])
    with pytest.raises(StudyError, match=r"begun with recipe.name = 'one_cycle', now it is 'paper'"):
        resumed(home, ["recipe.name=paper"])


def test_a_key_that_this_version_does_not_know_is_named(home: StudyDir) -> None:
    tables = older()
    tables["recipe"]["momentum"] = 0.9
    with pytest.raises(ConfigError, match=r"unknown key recipe.momentum"):
        resumed(begun(home, tables))
