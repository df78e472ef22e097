from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from gaopt import Gene, Genetic, Space
from gaopt.config import StudyConfig, from_tables, load, presets
from gaopt.config.tables import overridden, read_toml
from gaopt.errors import ConfigError
from gaopt.journal.paths import StudyDir
from gaopt.objectives.base import resolve
from gaopt.study.loop import run
from gaopt.study.prepare import resumed
from tests.conftest import toy
from tests.faults.studies import table


def test_the_presets_are_found_by_name_and_all_of_them_are_valid() -> None:
    searched = {"digits", "quick", "cifar10", "cifar100", "images", "finetune", "paper"}
    assert set(presets()) == {*searched, "student", "extended", "quick-extended"}
    for name in presets():
        config = checked(name)
        student = name == "student"
        assert config.default_first is not student
        assert bool(resolve(config.objective).doubts(config)) is student  # type: ignore[attr-defined]


def test_a_search_fills_the_pool_once_for_each_part_of_a_generation() -> None:
    config = load("digits")
    assert (config.trainings, config.generations) == (30, 5)
    assert [config.rounds(together) for together in (1, 2, 5, 10)] == [30, 17, 6, 5]
    assert load("digits", ["study.strategy=genetic", "genetic.retrain=true"]).trainings == 50
    assert load("digits", ["study.strategy=fixed"]).rounds(2) == 1


def test_a_config_comes_back_from_its_own_file() -> None:
    for name in presets():
        config = load(name)
        whole = resolve(config.objective).check(config)
        assert from_tables(whole.plain()).plain() == whole.plain()
        import tomllib

        assert from_tables(tomllib.loads(tomli_w.dumps(whole.plain()))).plain() == whole.plain()


def checked(source: str, *overrides: str) -> StudyConfig:
    config = load(source, overrides)
    return resolve(config.objective).check(config)


def test_a_mistake_gets_one_sentence() -> None:
    for override, said in [
        ("genetic.populaton=3", "unknown key genetic.populaton: did you mean 'population'?"),
        ("genetic.population=1", "genetic.population is 1: must be greater than or equal to 2"),
        ("genetic.population=ten", "genetic.population is 'ten': must be a valid integer"),
        ("genetic=3", "the override 'genetic=3' is not of the form table.key=value"),
        ("space.lr.low=1.0", r"space.lr: the range 1.0 … 0.01 is turned round"),
        ("space.lr.low=nan", "space.lr.low is nan: must be a finite number"),
        ("space.lr.scale=cubic", "space.lr.scale is 'cubic': must be 'linear' or 'log'"),
        ("space.lr.prior=1.0", "space.lr: prior is 1.0 without a spread"),
        ("space.dropout.low=0.1", "space.dropout.high is missing"),
        ("study.strategy=annealing", "study.strategy is 'annealing': known: assisted, fixed"),
        ("recipe.epoch=3", "unknown key recipe.epoch: did you mean 'epochs'?"),
        ("net.name=resnett50", "net: name is 'resnett50', which is no network: did you mean 'resnet50'?"),
        ("recipies.epochs=3", r"unknown table \[recipies\]: did you mean 'recipe'?"),
        ("study.objective=nowhere:at_all", "the objective 'nowhere:at_all' cannot be imported"),
        ("study.objective=gaopt.space:Gen", "the module gaopt.space has no 'Gen': did you mean 'Gene'?"),
    ]:
        with pytest.raises(ConfigError, match=said) as error:
            checked("digits", override)
        assert "\n" not in str(error.value)


def test_values_as_python_has_them_are_read() -> None:
    recipe = load("quick", ["recipe.flip=True", "recipe.lr=.01", "recipe.wd=1.e-3", "net.name=timm:a.b"]).settings
    assert [recipe["recipe"][key] for key in ("flip", "lr", "wd")] == [True, 0.01, 0.001]
    assert recipe["net"]["name"] == "timm:a.b"


def test_a_data_path_means_the_same_from_any_folder() -> None:
    assert checked("images", "data.path=pets").settings["data"]["path"] == str(Path("pets").absolute())


def test_a_gene_that_is_a_whole_number_of_the_recipe_must_say_so() -> None:
    ranged = ["space.batch.low=8", "space.batch.high=64"]
    with pytest.raises(ConfigError, match=r"set space.batch.integer = true"):
        checked("digits", *ranged)
    assert checked("digits", *ranged, "space.batch.integer=true").space["batch"].integer


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("[study\n")
    with pytest.raises(ConfigError, match=r"broken.toml is not valid TOML"):
        read_toml(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path)


def test_a_key_by_its_name_of_0_5_is_the_same_key() -> None:
    old = ["faults.times=3", "faults.alike=4", "assisted.rescored=true", "operators.apart=0.1"]
    config = load("quick", old)
    assert (config.faults.stall_factor, config.faults.max_alike_failures) == (3, 4)
    assert (config.assisted.promote_by_model, config.operators.min_distance) == (True, 0.1)
    assert from_tables(config.plain()) == config
    again = from_tables(overridden({**config.plain(), "faults": {"times": 5.0}}, ["faults.stall_factor=2"]))
    assert again.faults.stall_factor == 2
    with pytest.raises(ConfigError, match=r"faults\.times and faults\.stall_factor are one key"):
        from_tables({**config.plain(), "faults": {"times": 5.0, "stall_factor": 3.0}})


LAX: dict[str, Callable[[], StudyConfig]] = {
    "genetic.mutation is 2": lambda: replace(toy(), genetic=Genetic(mutation=2)),
    "study.seed is nan": lambda: replace(toy(), seed=float("nan")),  # type: ignore[arg-type]
    "pool is 'inline': must be a table": lambda: replace(toy(), pool="inline"),  # type: ignore[arg-type]
    "space.x.integer is 1: must be": lambda: replace(toy(), space=Space(x=Gene(0, 2, integer=1))),  # type: ignore[arg-type]
    "given: no value for the gene": lambda: replace(toy(), given=({"lr": 1e-3},)),
    "settings.a is None: must be": lambda: replace(toy(), settings={"settings": {"a": None}}),
    "settings has a table 'pool'": lambda: replace(toy(), settings={"pool": {"kind": "ray"}}),
    "the objective 5 must be a function, and is of type int": lambda: replace(toy(), objective=5),  # type: ignore[arg-type]
}


def test_a_config_of_python_s_is_refused_as_a_file_s_would_be(tmp_path: Path) -> None:
    for n, said in enumerate(LAX):
        home = StudyDir(tmp_path / str(n))
        with pytest.raises(ConfigError, match=said):
            run(LAX[said](), home)
        assert not home.path.exists()


def test_numbers_of_numpy_paths_and_tables_become_plain_ones(home: StudyDir, tmp_path: Path) -> None:
    given = replace(
        toy(population=np.int64(4), generations=np.int32(2), mutation=np.float32(0.5)),
        space={"x": Gene(np.float64(0), 1)},  # type: ignore[arg-type]
        objective="gaopt.objectives.toy:sphere",
        seed=np.int64(3),  # type: ignore[arg-type]
        pool={"kind": "inline"},  # type: ignore[arg-type]
        given=[{"x": np.float32(0.25)}],  # type: ignore[arg-type]
        settings={"settings": {"at": tmp_path, "sizes": np.arange(3), "pair": (1, np.bool_(True))}},
    )
    history = run(given, home)
    found = from_tables(history.config)
    assert found.settings == {"settings": {"at": str(tmp_path), "sizes": [0, 1, 2], "pair": [1, True]}}
    assert (found.seed, found.genetic, found.given) == (3, Genetic(4, 2), ({"x": 0.25},))
    assert resumed(home) == found
    assert table(home)


def test_a_text_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with open(tmp_path / "vast.toml", "wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(ConfigError, match="larger than 16 MiB"):
        load(tmp_path / "vast.toml")
