"""Conditions on genes as a person writes them: "optimizer == 'sgd' and lr * batch <= 4".

A small part of Python: numbers, words in quotes, true and false, the names of genes (a dot in a name is allowed, as in
net.width), + - * / **, comparisons, `in` with a list of values, and, or, not, and a few functions. Nothing else gets
past `Expression`, so that a config can compute and do no more. All numbers are floats: whole ones could grow without
end ("9 ** 9 ** 9"), where floats overflow.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, cast

from gaopt.errors import ConfigError, nearest

FUNCTIONS = {"abs": abs, "min": min, "max": max, "log10": math.log10, "log2": math.log2, "sqrt": math.sqrt}
_WORDS = {"true": 1.0, "false": 0.0}
_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE),
    *(ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.List, ast.Tuple, ast.Load, ast.Name, ast.Constant, ast.Call),
)


@dataclass(unsafe_hash=True)
class Expression:
    """A condition on genes, as text and compiled, with the names of the genes that it speaks of.

    Examples:
        >>> Expression("lr * batch <= 4").holds({"lr": 0.01, "batch": 128.0})
        True
    """

    text: str
    names: list[str] = field(init=False, repr=False, compare=False)
    _code: CodeType = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tree = _parsed(self.text)
        _make_safe(tree)
        self.names = sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - _KNOWN.keys())
        try:
            self._code = compile(tree, "<condition>", "eval")  # once: a search asks it a million times
        except (RecursionError, MemoryError, SyntaxError):
            raise ConfigError(f"{self.text[:40]!r}… is too deep: must have fewer operations in one another") from None

    def __reduce__(self) -> tuple[type[Expression], tuple[str]]:
        return Expression, (self.text,)  # code does not pickle

    def holds(self, genes: Mapping[str, Any]) -> bool:
        """Whether it is true of these genes, all that it speaks of; one that cannot be computed (1 / 0) is not."""
        try:
            return self._computed(genes)
        except TypeError:
            return False

    def _computed(self, genes: Mapping[str, Any]) -> bool:
        """The same; it raises a TypeError where it adds, or compares, what does not go together."""
        values = {name: _number(genes[name]) for name in self.names}
        try:
            return bool(eval(self._code, _KNOWN, values))
        except (ArithmeticError, ValueError, MemoryError):
            return False

    def check(self, known: Mapping[str, Any]) -> None:
        """Refuse names that are unknown or ambiguous."""
        if words := [name for name in known if name.lower() in _WORDS]:
            raise ConfigError(f"{self.text!r} cannot tell the gene {words[0]!r} from a value: must have another name")
        if unknown := [name for name in self.names if name not in known]:
            near = nearest(unknown[0], known)
            raise ConfigError(f"{self.text!r} speaks of {unknown[0]!r}, which is no gene before it: {near}")

    def check_types(self, genes: Mapping[str, Any]) -> None:
        """Refuse a comparison of words with numbers, or the like, for these genes."""
        try:
            self._computed(genes)
        except TypeError as error:
            if "complex" not in str(error):  # of the root of a negative number: it does not hold, as 1 / 0 does not
                raise ConfigError(f"{self.text!r} cannot be computed: {error}") from None


def _parsed(text: str) -> ast.Expression:
    if not isinstance(text, str):
        raise ConfigError(f"the condition is {text!r}: must be a text like 'lr * 10 < wd'")
    if len(text) > 1000:
        raise ConfigError(f"the condition {text[:40]!r}… has {len(text)} characters: must have at most 1000")
    try:
        tree = _Dotted().visit(ast.parse(text.strip(), mode="eval"))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ConfigError(f"{text!r} is no condition: must be like \"lr * 10 < wd or optimizer == 'sgd'\"") from None
    for node in ast.walk(tree):
        fine = isinstance(node, _ALLOWED)
        if isinstance(node, ast.Call):
            fine = isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
        elif isinstance(node, ast.Constant):
            fine = isinstance(node.value, int | float | str)
        if not fine:
            known = f"only numbers, words, genes, + - * / **, logic and {', '.join(FUNCTIONS)}"
            raise ConfigError(f"{text!r} holds a {type(node).__name__}: {known}")
    return cast("ast.Expression", tree)


class _Dotted(ast.NodeTransformer):
    """`net.width` is one name. An attribute of anything but a name stays, and is refused."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not isinstance(node.value, ast.Name):
            return node
        return ast.copy_location(ast.Name(f"{node.value.id}.{node.attr}", ast.Load()), node)


def _make_safe(tree: ast.AST) -> None:
    """Whole numbers become floats, only numbers are multiplied (words would be repeated without end), and functions are
    called by names that no gene has.
    """
    place = {"lineno": 1, "col_offset": 0}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = _number(node.value)
        elif isinstance(node, ast.Call):
            cast("ast.Name", node.func).id += "()"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow):
            node.left = ast.Call(ast.Name("factor()", ast.Load(), **place), [node.left], [], **place)


def _number(value: Any) -> Any:
    """A whole number, true and false among them, as a float; anything else as it is."""
    if not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _factor(value: Any) -> Any:
    if isinstance(value, str | list | tuple):
        raise TypeError("only numbers can be multiplied")
    return value + 0.0  # a sum of comparisons is a whole number


_KNOWN: dict[str, Any] = {"__builtins__": {}, "factor()": _factor, **_WORDS}
_KNOWN |= {f"{name}()": function for name, function in FUNCTIONS.items()}
