"""Which files of ours a file imports, read from the text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from simlingo_cli.mutants.project import Project

_DOTTED = re.compile(r"\b[a-z_]+(?:\.\w+)+")


class Imports:
    """The import graph of a project, found as it is asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files = {project.module(file): file for folder in project.packages for file in project.files(folder)}
        self._near: dict[str, frozenset[str]] = {}

    def reach(self, start: Iterable[str]) -> set[str]:
        """The files themselves and all that they import, in functions and by others too."""
        seen: set[str] = set()
        todo = list(start)
        while todo:
            file = todo.pop()
            if file not in seen:
                seen.add(file)
                todo.extend(self.of(file))
        return seen

    def of(self, file: str) -> frozenset[str]:
        """The files that a file imports itself; of a test file also those that a text names, for another process."""
        if file not in self._near:
            text = (self._project.root / file).read_text(encoding="utf-8")
            self._near[file] = frozenset(self._find(file, text) - {file})
        return self._near[file]

    def test_side(self, test_file: str) -> list[str]:
        """A test file, its helpers and its conftest.py files: what may change its verdict beside the code."""
        return sorted({*self._own(test_file), *self._conftests(test_file)})

    def of_test(self, test_file: str) -> set[str]:
        """The files that a test file or its helpers import themselves; what fixtures of a conftest.py need is far."""
        helpers, found = [test_file], set[str]()
        for own in helpers:
            found |= self.of(own)
            helpers += [
                file
                for file in self.of(own)
                if self._in_tests(file) and Path(file).name != "conftest.py" and file not in helpers
            ]
        return found

    def _own(self, test_file: str) -> set[str]:
        return {file for file in self.reach([test_file]) if self._in_tests(file)}

    def _find(self, file: str, text: str) -> set[str]:
        found: set[str] = set()
        for name in imported_names(text):
            found.update(self._modules(name))
            helper = (Path(file).parent / f"{name}.py").as_posix()
            if "." not in name and self._in_tests(file) and (self._project.root / helper).is_file():
                found.add(helper)
        if self._in_tests(file):
            for match in _DOTTED.findall(text):
                found.update(self._modules(match))
            found.update(conftest for conftest in self._conftests(file) if self._uses(text, conftest))
        return found

    def _conftests(self, file: str) -> list[str]:
        names = [(folder / "conftest.py").as_posix() for folder in Path(file).parents]
        return [name for name in names if (self._project.root / name).is_file()]

    def _uses(self, text: str, conftest: str) -> bool:
        """Whether a test names a function of a conftest.py: a fixture."""
        tree = ast.parse((self._project.root / conftest).read_text(encoding="utf-8"))
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        return any(re.search(rf"\b{name}\b", text) for name in names)

    def _in_tests(self, file: str) -> bool:
        return Path(file).parts[0] == Path(self._project.tests).parts[0]

    def _modules(self, name: str) -> set[str]:
        """Files that importing ``name`` runs: the module, or the one that holds it, and the packages around."""
        parts = name.split(".")
        return {
            self._files[dotted]
            for count in range(1, len(parts) + 1)
            if (dotted := ".".join(parts[:count])) in self._files
        }


def imported_names(text: str) -> set[str]:
    """Dotted names that a source imports: modules, and names inside modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found
