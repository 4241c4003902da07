"""Where a name that a module binds at import is used: lines that run the fault of its statement."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from simlingo_cli.mutants.project import Project


class Usage:
    """Uses of names, read from the text of the packages and of the tests."""

    def __init__(self, project: Project, test_files: Iterable[str]) -> None:
        #: Lines inside functions that use a name, and names bound at import from it.
        self._lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self._bound_from: dict[str, set[str]] = defaultdict(set)
        sources = [file for folder in project.packages for file in project.files(folder)]
        for file in (*sources, *test_files):
            self._read(file, ast.parse((project.root / file).read_bytes()))

    def places(self, names: Sequence[str]) -> set[tuple[str, int]]:
        """(file, line) of all uses of ``names``, and of what is bound from them."""
        found: set[tuple[str, int]] = set()
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                found |= self._lines[name]
                todo.extend(self._bound_from[name])
        return found

    def _read(self, file: str, tree: ast.Module) -> None:
        for statement, inside in _statements(tree.body, inside=False):
            if isinstance(statement, ast.ImportFrom):
                for alias in statement.names:
                    self._bound_from[alias.name].update({alias.asname} - {None})  # type: ignore[arg-type]
            for node in ast.walk(statement):
                name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
                if not name or not isinstance(getattr(node, "ctx", None), ast.Load):
                    continue
                if inside:
                    # The tracer counts a statement's first line, whichever line of it holds the name.
                    line: int = node.lineno  # type: ignore[attr-defined]
                    self._lines[name].update({(file, line), (file, statement.lineno)})
                else:
                    self._bound_from[name].update(_bound(statement))


def _bound(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _statements(body: Sequence[ast.stmt], *, inside: bool) -> Iterator[tuple[ast.stmt, bool]]:
    """Simple statements, and whether a function holds them; a compound statement gives its parts and its head."""
    for statement in body:
        deeper = inside or isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        blocks = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt | ast.ExceptHandler)]
        if not blocks:
            yield statement, inside
            continue
        for part in ast.iter_child_nodes(statement):
            if isinstance(part, ast.ExceptHandler | ast.match_case):
                yield from _statements(part.body, inside=deeper)
            elif isinstance(part, ast.stmt):
                yield from _statements([part], inside=deeper)
            elif isinstance(part, ast.expr) and deeper:
                yield ast.copy_location(ast.Expr(part), part), inside
            elif isinstance(part, ast.arguments):
                for default in (*part.defaults, *part.kw_defaults):
                    if default is not None:  # used where the function runs
                        yield ast.copy_location(ast.Expr(default), blocks[0]), True
