"""Gives one module a faulty source when it is imported, in this process and in those that it starts."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

#: Environment variables: dotted module name, its file, and the file with the faulty source.
_MODULE, _FILE, _SOURCE = "SIMLINGO_MUTANT_MODULE", "SIMLINGO_MUTANT_FILE", "SIMLINGO_MUTANT_SOURCE"
#: Folder whose sitecustomize.py is run by every Python that starts with it on its path.
STARTUP = Path(__file__).parent / "startup"


class _Loader(importlib.machinery.SourceFileLoader):
    """Compiles the faulty source under the module's own file name; no byte code is read or written."""

    source: bytes = b""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, module: str, file: str, source: bytes) -> None:
        self._module, self._file, self._source = module, file, source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        loader = _Loader(fullname, self._file)
        loader.source = self._source
        return importlib.util.spec_from_file_location(fullname, self._file, loader=loader)


def plant(module: str, file: Path, source: bytes) -> None:
    """Let ``module``, which lies in ``file``, be imported with ``source`` from now on.

    Raises:
        RuntimeError: it has been imported already, so that the fault would not be seen.
    """
    if module in sys.modules:
        raise RuntimeError(f"{module} was imported before the fault was planted")
    sys.meta_path.insert(0, _Finder(module, str(file), source))


def plant_in_children(module: str, file: Path, source_file: Path) -> None:
    """Let Python processes that this one starts see the fault too, as long as they keep the environment."""
    os.environ.update({_MODULE: module, _FILE: str(file), _SOURCE: str(source_file)})
    reach_children()


def reach_children() -> None:
    """Put the start-up file on the path of the Python processes that this one starts."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(STARTUP) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(STARTUP), *filter(None, paths)])


def plant_from_environment() -> None:
    """What a started process does: plant the fault that its parent has."""
    if _MODULE in os.environ:
        plant(os.environ[_MODULE], Path(os.environ[_FILE]), Path(os.environ[_SOURCE]).read_bytes())
