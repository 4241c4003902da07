"""All mutants of a source file."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.operators import Change, Source, changes_of, deletion_of, negation_of
from simlingo_cli.mutants.skips import is_words

_MODULE = "<module>"


@dataclass(frozen=True)
class _Place:
    """Where the walk is: the function, the lines of the statement, and what it binds at import."""

    function: str = _MODULE
    inside: bool = False  # a function: the statement runs when it is called
    lines: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()
    bound: frozenset[str] = frozenset()  # names of the function that have a value when the statement begins


def mutants_of(file: str, data: bytes) -> list[Mutant]:
    """Every mutant of a file, in the order of its text.

    Args:
        file: its name, relative to the repository.
        data: its content, UTF-8.

    Raises:
        SyntaxError: it is no Python.
    """
    source = Source(data)
    lines = data.decode().splitlines()
    seen: set[bytes] = set()
    words: Counter[tuple[str, ...]] = Counter()
    found: list[Mutant] = []
    changes = sorted(_block(ast.parse(data).body, _Place(), source), key=lambda pair: (pair[0].start, pair[0].end))
    for change, place in changes:
        number = source.line_at(change.start)
        before = data[change.start : change.end].decode()
        told = (place.function, change.operator, lines[number - 1].strip(), before, change.after)
        mutant = Mutant(
            file, *told[:2], number, *told[2:], words[told], change.start, change.end, place.lines, place.names
        )
        faulty = mutant.apply(data)
        if faulty in seen or not _parses(faulty):
            continue
        seen.add(faulty)
        words[told] += 1
        found.append(mutant)
    return found


def _parses(data: bytes) -> bool:
    try:
        compile(data, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _block(body: list[ast.stmt], place: _Place, source: Source) -> Iterator[tuple[Change, _Place]]:
    bound = set(place.bound)
    for statement in body:
        if not is_words(statement):
            yield from _statement(statement, replace(place, bound=frozenset(bound)), source)
        bound.update(
            node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        )


def _statement(statement: ast.stmt, place: _Place, source: Source) -> Iterator[tuple[Change, _Place]]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from _function(statement, place, source)
        return
    if isinstance(statement, ast.ClassDef):
        name = statement.name if place.function == _MODULE else f"{place.function}.{statement.name}"
        yield from _block(statement.body, replace(place, function=name), source)
        return
    place = _at(statement, place)
    if _may_go(statement, place):
        yield deletion_of(statement, source), place
    if isinstance(statement, ast.Raise):  # its words are for a reader
        return
    if isinstance(statement, ast.If | ast.AugAssign):
        for change in changes_of(statement, source):
            yield change, place
    for name, value in ast.iter_fields(statement):
        if name == "annotation" or isinstance(statement, ast.ImportFrom | ast.Import):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.stmt):
                continue
            if isinstance(part, ast.ExceptHandler | ast.match_case):
                yield from _block(part.body, place, source)
            elif isinstance(part, ast.AST):
                yield from _expression(part, place, source)
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield from _block(value, place, source)


def _function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, place: _Place, source: Source
) -> Iterator[tuple[Change, _Place]]:
    name = node.name if place.function == _MODULE else f"{place.function}.{node.name}"
    last = node.end_lineno or node.lineno
    whole = _Place(name, True, (node.body[0].lineno, last))
    # A default is made when the function is defined, and shows where the function runs.
    for default in (*node.args.defaults, *node.args.kw_defaults):
        if default is not None:
            yield from _expression(default, whole, source)
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
    names = frozenset(argument.arg for argument in arguments if argument is not None)
    yield from _block(node.body, replace(whole, bound=names), source)


def _expression(node: ast.AST, place: _Place, source: Source) -> Iterator[tuple[Change, _Place]]:
    if is_words(node):
        return
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr) and not place.inside):  # a union of types
        for change in changes_of(node, source):
            yield change, place
    if isinstance(node, ast.comprehension):
        for test in node.ifs:
            for change in negation_of(test, source):
                yield change, place
    for name, value in ast.iter_fields(node):
        if name == "annotation":
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield from _expression(part, place, source)


def _at(statement: ast.stmt, place: _Place) -> _Place:
    """The place of a statement's own text; of a compound one that is its head."""
    body = getattr(statement, "body", None)
    last = max(body[0].lineno - 1, statement.lineno) if body else statement.end_lineno or statement.lineno
    if place.inside:
        return replace(place, lines=(statement.lineno, last))
    stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return replace(place, names=tuple(dict.fromkeys(node.id for node in stored)))


def _may_go(statement: ast.stmt, place: _Place) -> bool:
    """Whether a statement can be deleted so that the program still means something."""
    if isinstance(statement, ast.Return):
        return not (isinstance(statement.value, ast.Constant) and statement.value.value is None)
    if isinstance(statement, ast.Expr | ast.AugAssign | ast.Raise | ast.Continue | ast.Break | ast.Delete):
        return True
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None or not place.inside:
        return False
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if all(isinstance(target, ast.Name) for target in targets):
        return all(isinstance(target, ast.Name) and target.id in place.bound for target in targets)
    in_constructor = place.function.endswith("__init__")
    return not in_constructor and all(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)
