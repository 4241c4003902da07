"""The faults: small changes of one expression or statement, as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simlingo_cli.mutants.skips import is_text_sum, may_swap

#: Names of the operators, for the report.
OPERATORS = ("compare", "arithmetic", "sign", "constant", "boolean", "condition", "deletion", "arguments")

_COMPARE: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: (r"\bis\b", ("is not",)),
    ast.IsNot: (r"\bis\s+not\b", ("is",)),
    ast.In: (r"\bin\b", ("not in",)),
    ast.NotIn: (r"\bnot\s+in\b", ("in",)),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.MatMult: ("@", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.BitXor: ("^", "&"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}


@dataclass(frozen=True)
class Change:
    """Bytes ``start`` to ``end`` become ``after``."""

    operator: str
    start: int
    end: int
    after: str


class Source:
    """A file's bytes and where its nodes lie in them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._starts = [0]
        for line in data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt) -> int:
        """First byte of a node."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """The byte behind a node."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        """A node as it is written."""
        return self.data[self.start(node) : self.end(node)].decode()

    def line_at(self, offset: int) -> int:
        """The line (from 1) of a byte."""
        return self.data.count(b"\n", 0, offset) + 1


def changes_of(node: ast.AST, source: Source) -> Iterator[Change]:
    """The faults that a node can get itself; its parts have their own. Deletions are ``deletion_of``."""
    maker = _MAKERS.get(type(node))
    if maker is not None:
        yield from maker(node, source)


def deletion_of(statement: ast.stmt, source: Source) -> Change:
    """The statement replaced by ``pass``, with as many lines as before."""
    start, end = source.start(statement), source.end(statement)
    return Change("deletion", start, end, "pass" + "\n" * source.data.count(b"\n", start, end))


def negation_of(test: ast.expr, source: Source) -> Iterator[Change]:
    """A condition turned round, where no other operator does that to it."""
    turned_already = (isinstance(test, ast.Compare) and len(test.ops) == 1) or (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    )
    if not turned_already and not isinstance(test, ast.Constant):
        yield Change("condition", source.start(test), source.end(test), f"not ({source.text(test)})")


def _between(source: Source, left: int, right: int, pattern: str, after: str, operator: str) -> Iterator[Change]:
    gap = source.data[left:right].decode()
    found = re.search(pattern, gap)
    if found is not None:
        start = left + len(gap[: found.start()].encode())
        yield Change(operator, start, start + len(found.group().encode()), after)


def _compare(node: ast.Compare, source: Source) -> Iterator[Change]:
    left: ast.expr = node.left
    for kind, right in zip(node.ops, node.comparators, strict=True):
        pattern, others = _COMPARE[type(kind)]
        for other in others:
            yield from _between(source, source.end(left), source.start(right), pattern, other, "compare")
        left = right


def _binary(node: ast.BinOp, source: Source) -> Iterator[Change]:
    if not is_text_sum(node):
        sign, other = _ARITHMETIC[type(node.op)]
        yield from _between(
            source, source.end(node.left), source.start(node.right), re.escape(sign), other, "arithmetic"
        )


def _augmented(node: ast.AugAssign, source: Source) -> Iterator[Change]:
    sign, other = _ARITHMETIC[type(node.op)]
    left, right = source.end(node.target), source.start(node.value)
    text = isinstance(node.value, ast.JoinedStr) or (
        isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | bytes)
    )
    for after in ("=",) if text else (f"{other}=", "="):
        yield from _between(source, left, right, re.escape(f"{sign}="), after, "arithmetic")


def _bool(node: ast.BoolOp, source: Source) -> Iterator[Change]:
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    for left, right in zip(node.values, node.values[1:], strict=False):
        yield from _between(source, source.end(left), source.start(right), rf"\b{word}\b", other, "boolean")


def _unary(node: ast.UnaryOp, source: Source) -> Iterator[Change]:
    operator = {ast.USub: "sign", ast.Not: "boolean"}.get(type(node.op))
    if operator is not None:
        yield Change(operator, source.start(node), source.start(node.operand), "")


def _constant(node: ast.Constant, source: Source) -> Iterator[Change]:
    value, span = node.value, (source.start(node), source.end(node))
    if isinstance(value, bool):
        yield Change("boolean", *span, str(not value))
    elif isinstance(value, int):
        yield Change("constant", *span, str(value + 1))
        yield Change("constant", *span, str(value - 1) if value else "(-1)")
    elif isinstance(value, float):
        yield Change("constant", *span, repr(value * 1.5) if value else "1.0")
        if value:
            yield Change("constant", *span, repr(value * 0.5))


def _call(node: ast.Call, source: Source) -> Iterator[Change]:
    if not may_swap(node):
        return
    for first, second in zip(node.args, node.args[1:], strict=False):
        texts = source.text(first), source.text(second)
        if isinstance(first, ast.Starred) or isinstance(second, ast.Starred) or texts[0] == texts[1]:
            continue
        gap = source.data[source.end(first) : source.start(second)].decode()
        yield Change("arguments", source.start(first), source.end(second), f"{texts[1]}{gap}{texts[0]}")


def _choice(node: ast.IfExp, source: Source) -> Iterator[Change]:
    yield from negation_of(node.test, source)


def _if(node: ast.If, source: Source) -> Iterator[Change]:
    yield from negation_of(node.test, source)


_MAKERS: dict[type[ast.AST], Callable[..., Iterator[Change]]] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.AugAssign: _augmented,
    ast.BoolOp: _bool,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.Call: _call,
    ast.IfExp: _choice,
    ast.If: _if,
}
