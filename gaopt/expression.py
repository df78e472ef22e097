"""Conditions on genes as a person writes them: "optimizer == 'sgd' and lr * batch <= 4".

A small part of Python: numbers, words in quotes, true and false, the names of genes (a dot in a name is allowed, as in
net.width), + - * / **, comparisons, `in` with a list of values, and, or, not, and a few functions. Nothing else gets
past `Expression`, so that a config can compute and do no more.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

from gaopt.errors import ConfigError, nearest

FUNCTIONS = {"abs": abs, "min": min, "max": max, "log10": math.log10, "log2": math.log2, "sqrt": math.sqrt}
_WORDS = {"true": True, "false": False}
_ALLOWED = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE),
    *(ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.List, ast.Tuple, ast.Load, ast.Name, ast.Constant, ast.Call),
)


class Expression:
    """A condition on genes.

    Attributes:
        text: as it was written.
        names: the genes that it speaks of.

    Raises:
        ConfigError: it is no such expression.

    Example:
        >>> Expression("lr * batch <= 4").holds({"lr": 0.01, "batch": 128.0})
        True
    """

    def __init__(self, text: str) -> None:
        self.text = text
        tree = _parsed(text)
        called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node not in called}
        self.names = sorted(names - _WORDS.keys())
        try:
            self._plain = ast.unparse(_Plain(self.names).visit(tree))
            self._function  # noqa: B018 - what cannot be compiled is said now
        except (RecursionError, MemoryError, SyntaxError):
            raise ConfigError(f"{text[:40]!r}… is too deep: must have fewer operations in one another") from None

    @cached_property
    def _function(self) -> Callable[..., Any]:
        """Of the genes' values, in the order of their names: compiled once, for a search asks it a million times."""
        parameters = ", ".join(map(_stand_in, range(len(self.names))))
        code = compile(f"lambda {parameters}: ({self._plain})", "<condition>", "eval")
        known = {"__builtins__": {}, _number.__name__: _number, _factor.__name__: _factor} | FUNCTIONS | _WORDS
        return cast("Callable[..., Any]", eval(code, known))

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "_function"}  # which does not pickle

    def holds(self, genes: Mapping[str, Any]) -> bool:
        """Whether it is true of these genes. One that cannot be computed (a division by zero) is not.

        Raises:
            KeyError: a gene that it speaks of is not there.
        """
        try:
            return self.computed(genes)
        except TypeError:
            return False

    def computed(self, genes: Mapping[str, Any]) -> bool:
        """The same.

        Raises:
            TypeError: it adds, or compares, what does not go together; a root of a negative number among it.
        """
        values = [genes[name] for name in self.names]
        try:
            return bool(self._function(*values))
        except (ArithmeticError, ValueError, MemoryError):
            return False

    def check(self, known: Mapping[str, Any]) -> None:
        """
        Raises:
            ConfigError: it speaks of what is not known, or might.
        """
        if words := [name for name in known if name.lower() in _WORDS]:
            raise ConfigError(f"{self.text!r} cannot tell the gene {words[0]!r} from a value: must have another name")
        for name in self.names:
            if name not in known:
                raise ConfigError(
                    f"{self.text!r} speaks of {name!r}, which is no gene before it: {nearest(name, known)}"
                )

    def check_types(self, genes: Mapping[str, Any]) -> None:
        """
        Raises:
            ConfigError: for these genes it compares words with numbers, or the like.
        """
        try:
            self.computed(genes)
        except TypeError as error:
            if "complex" not in str(error):  # of the root of a negative number: it does not hold, as 1 / 0 does not
                raise ConfigError(f"{self.text!r} cannot be computed: {error}") from None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Expression) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


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
        if not isinstance(node, _ALLOWED):
            raise ConfigError(
                f"{text!r} holds a {type(node).__name__}: only numbers, words, genes, + - * / ** and logic"
            )
        if isinstance(node, ast.Call) and (not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS):
            raise ConfigError(f"{text!r} calls {ast.unparse(node.func)!r}: only {', '.join(FUNCTIONS)}")
        if isinstance(node, ast.Constant) and not isinstance(node.value, int | float | str):
            raise ConfigError(f"{text!r} holds {node.value!r}: only numbers and words")
    return cast("ast.Expression", tree)


class _Dotted(ast.NodeTransformer):
    """`net.width` is one name. An attribute of anything but a name stays, and is refused."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name(f"{node.value.id}.{node.attr}", ast.Load()) if isinstance(node.value, ast.Name) else node


def _stand_in(number: int) -> str:
    """What a gene is called in the code: its own name may have a dot, which Python would follow."""
    return f"gene_{number}"


def _number(value: Any) -> Any:
    """What is computed with: a whole number, true and false among them, as a float; anything else as it is."""
    if not isinstance(value, int):
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _factor(value: Any) -> Any:
    """The same.

    Raises:
        TypeError: it is a word or a list, which would be repeated, as often as there is memory for.
    """
    if isinstance(value, str | list | tuple):
        raise TypeError("only numbers can be multiplied")
    return _number(value)


def _wrapper(node: ast.BinOp) -> Callable[[Any], Any]:
    return _factor if isinstance(node.op, ast.Mult) else _number


class _Plain(ast.NodeTransformer):
    """Genes by stand-ins, and nothing computed but with floats.

    Whole numbers could grow without end ("9 ** 9 ** 9", and "n ** n ** n" of a choice's), where floats overflow.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def visit_Call(self, node: ast.Call) -> ast.Call:
        return ast.Call(node.func, [self.visit(each) for each in node.args], [])  # a gene may be called like a function

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(_stand_in(self._names.index(node.id)), node.ctx) if node.id in self._names else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.BinOp:
        """Only what is computed with: a gene that is compared stays what it is. "a + b + c + …" is deep on its left."""
        chain = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        plain = self._wrapped(chain[-1].left, _wrapper(chain[-1]))
        for each in reversed(chain):
            plain = ast.BinOp(plain, each.op, self._wrapped(each.right, _wrapper(each)))
        return cast("ast.BinOp", plain)

    def _wrapped(self, node: ast.expr, wrapper: Callable[[Any], Any]) -> ast.expr:
        plain = self.visit(node)
        if isinstance(plain, ast.BinOp) or (isinstance(plain, ast.Constant) and isinstance(plain.value, float)):
            return plain  # a float by now
        return ast.Call(ast.Name(wrapper.__name__, ast.Load()), [plain], [])

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return node if isinstance(node.value, bool) else ast.Constant(_number(node.value))
