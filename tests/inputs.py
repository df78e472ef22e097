"""Input that nobody should give and somebody will: configs and command lines near the right ones."""

from dataclasses import fields
from typing import Any

import click
from hypothesis import strategies as st

from gaopt.cli import cli
from gaopt.config import DECIDING, Faults, PoolConfig

BASE: dict[str, Any] = {
    "study": {"objective": "gaopt.objectives.toy:valley", "strategy": "genetic"},
    "space": {
        "lr": {"low": 1e-6, "high": 1e-2, "scale": "log"},
        "wd": {"low": 0.0, "high": 0.1},
        "mom": {"low": 0.1, "high": 1.5},
    },
    "genetic": {"population": 4, "generations": 2},
    "pool": {"kind": "inline"},
}
"""A config that is right, and costs nothing."""
COUNTED: dict[str, Any] = {
    "study": {"objective": "gaopt.objectives.toy:sphere", "strategy": "grid", "constraints": ["lr + new <= 9"]},
    "space": {
        "lr": {"low": 0, "high": 3, "integer": True},
        "new": {"low": 0.0, "high": 1.0, "step": 0.25, "when": "lr > 1"},
        "mom": {"choices": [0.5, True, "word"]},
    },
    "grid": {"repeats": 2},
    "pool": {"kind": "inline"},
}
"""One of another kind, whose individuals can be counted."""

KEYS = [
    *(("study", key) for key in ("objective", "strategy", "seed", "default_first", "constraints")),
    *(("space", name, key) for name in ("lr", "new") for key in ("low", "high", "scale", "integer", "step", "when")),
    *(("space", name, "choices") for name in ("mom", "new", "net.width")),
    *((table, field.name) for table, kind in DECIDING.items() for field in fields(kind)),
    *(("pool", field.name) for field in fields(PoolConfig)),
    *(("faults", field.name) for field in fields(Faults)),
    *((table,) for table in ("study", "space", "given", "fixed", "compare", "experiment", "settings", *DECIDING)),
    *(("fixed", "lr"), ("experiment", "variants"), ("settings", "anything"), ("data", "path"), ("net", "name")),
]
WORDS = [
    *("", "genetic", "assisted", "random", "grid", "fixed", "optuna-tpe", "ray-asha", "log", "linear", "inline", "toy"),
    *("gaopt.objectives.toy:valley", "gaopt.objectives.toy:", ":", "no.such:thing", "gaopt:space:space", "math:sqrt"),
    *("gaopt.objectives.image:objective", "..:x", "lr > 1e-4", "wd < lr", "lr", "9 ** 9 ** 9", "lr in [1, 'a']", "not"),
    *("mom ** mom ** mom > 1", "'a' * mom != 'b'", "lr.wd < 1", "lr(" * 300, "-" * 900 + "1", "sobol", "nan", "1e999"),
    *("../..", "/", ".", "~", "\0", "a/b", "x" * 300, "x" * 100_000, "ü", "\u202e", "\U0001f600"),
]
NUMBERS = [0, 1, -1, 2, 3, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400, 1e-300, 5e-324, 1e308, -1e308, -0.0]


def words() -> st.SearchStrategy[str]:
    """Those that a config knows, and any other."""
    return st.sampled_from(WORDS) | st.text(max_size=20)


def values() -> st.SearchStrategy[Any]:
    """Whatever TOML can hold, besides dates."""
    scalars = st.booleans() | st.integers(-3, 12) | st.sampled_from(NUMBERS) | st.floats() | words()
    keys = words() | st.sampled_from(["low", "high", "lr", "wd", "mom", "choices", "name"])
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=8
    )


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """A config with some keys changed, most of them known ones."""
    base = draw(st.sampled_from([BASE, COUNTED]))
    found: dict[str, Any] = {name: dict(table) for name, table in base.items()}
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(KEYS) | st.lists(words(), min_size=1, max_size=3).map(tuple))
        _put(found, path, draw(values()))
    return found


def _put(found: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        inner = found.get(part)
        found[part] = dict(inner) if isinstance(inner, dict) else {}
        found = found[part]
    found[path[-1]] = value


def arguments(verb: str) -> st.SearchStrategy[list[str]]:
    """A command line of a verb: its own options with right and wrong values, another's, rubbish."""
    command = cli.commands[verb]
    options = [name for option in command.params if isinstance(option, click.Option) for name in option.opts]
    given = st.sampled_from([*(name for name in options if name != "--follow"), "--seed", "--nonsense"])
    value = (
        st.sampled_from(["toy", "config.toml", "quick", "x.png", "3", "study.seed=1", "stop.generations=2"]) | shell()
    )
    part = st.tuples(given, value).map(list) | value.map(lambda text: [text])
    return st.lists(part, max_size=4).map(lambda parts: [verb, *(word for part in parts for word in part)])


def shell() -> st.SearchStrategy[str]:
    """What a shell can pass on: any bytes but NUL, those that are no UTF-8 as Python has them."""
    override = st.tuples(words(), words(), values()).map(lambda parts: f"{parts[0]}.{parts[1]}={parts[2]}")
    text = (words() | override).map(lambda text: text.encode("utf-8", "replace"))
    some = text | st.binary(max_size=8)
    return some.map(lambda some: some.replace(b"\0", b"\xff").decode("utf-8", "surrogateescape"))
