"""Results that outlive a run: one JSON line each, appended as it comes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from simlingo_cli.mutants.facing import Batch
from simlingo_cli.mutants.imports import Imports
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.project import Project

#: Statuses that mean: the tests noticed.
CAUGHT = ("killed", "timeout")


@dataclass(frozen=True)
class Result:
    """What became of a mutant."""

    key: str
    status: str  # killed, timeout, survived, uncovered
    by: str  # the test that failed, or the file that took too long
    seconds: float
    fingerprint: str  # of all that the result depends on


class Journal:
    """The results of a folder.

    A killed mutant stays killed while its file, the test file that killed it and that one's helpers are as they were;
    a survivor is tried again when its file, or any test that it faces, changes.
    """

    def __init__(self, project: Project, imports: Imports, folder: str) -> None:
        self._project, self._imports = project, imports
        self._path = project.state / f"{folder.replace('/', '.')}.jsonl"
        self._results: dict[str, Result] = {}
        self._sides: dict[str, str] = {}
        if self._path.is_file():
            for line in self._path.read_text().splitlines():
                try:
                    result = Result(**json.loads(line))
                except (ValueError, TypeError):
                    continue  # the last line of a run that was killed
                self._results[result.key] = result

    def clear(self) -> None:
        """Forget all results."""
        self._path.unlink(missing_ok=True)
        self._results.clear()

    def find(self, mutant: Mutant, batches: Sequence[Batch]) -> Result | None:
        """The result of a mutant, where it still holds."""
        result = self._results.get(mutant.key)
        if result is None or result.fingerprint != self._fingerprint(mutant, batches, result.status, result.by):
            return None
        return result

    def add(self, mutant: Mutant, batches: Sequence[Batch], status: str, by: str, seconds: float) -> Result:
        """Keep a result."""
        result = Result(mutant.key, status, by, seconds, self._fingerprint(mutant, batches, status, by))
        self._results[mutant.key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # A run that was killed may have left half a line: the blank line keeps it apart.
        with self._path.open("a") as out:
            out.write("\n" * (not self._ends_well()) + json.dumps(asdict(result)) + "\n")
        return result

    def _ends_well(self) -> bool:
        data = self._path.read_bytes()[-1:]
        return data in (b"", b"\n")

    def _fingerprint(self, mutant: Mutant, batches: Sequence[Batch], status: str, by: str) -> str:
        parts = [mutant.key, status, self._project.digest(mutant.file)]
        file = by.partition("::")[0].partition(" ")[0]
        if status in CAUGHT and (self._project.root / file).is_file():
            parts.append(self._side(file))
        else:
            parts.extend(word for batch in batches for word in (self._side(batch.file), *batch.tests))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:20]

    def _side(self, test_file: str) -> str:
        if test_file not in self._sides:
            files = self._imports.test_side(test_file)
            self._sides[test_file] = ",".join(f"{file}={self._project.digest(file)}" for file in files)
        return self._sides[test_file]
