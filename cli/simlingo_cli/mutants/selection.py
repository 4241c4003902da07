"""Which tests a mutant faces: those that execute its lines, quick ones first, up to a number of seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from simlingo_cli.mutants.facing import Batch
from simlingo_cli.mutants.imports import Imports
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.recording import Record
from simlingo_cli.mutants.usage import Usage

#: A test below this takes its turn before all that take longer, s.
_QUICK_S = 1.0
#: CPU seconds that a test may take with a fault: so many times its own, and some more.
_LIMIT_FACTOR, _LIMIT_S = 5.0, 5.0


class Selection:
    """The tests of some recordings by the lines that they execute."""

    def __init__(self, records: Sequence[Record], imports: Imports, usage: Usage, budget_s: float) -> None:
        """``budget_s``: seconds of tests, as recorded, that one mutant faces; at least one test always."""
        self._records = {record.file: record for record in records}
        self._imports, self._usage, self._budget_s = imports, usage, budget_s
        #: Tests by file and line; a test is (test file, id).
        self._tests: dict[str, dict[int, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
        for record in records:
            users: dict[str, list[str]] = defaultdict(list)
            for test, keys in record.used.items():
                for key in keys:
                    users[key].append(test)
            for file, contexts in record.lines.items():
                for context, lines in contexts.items():
                    tests = [context] if context in record.seconds else users.get(context, [])
                    for line in lines:
                        self._tests[file][line].update((record.file, test) for test in tests if test in record.seconds)

    def batches(self, mutant: Mutant) -> tuple[Batch, ...]:
        """What ``mutant`` faces, in that order; empty where no test executes it."""
        if mutant.lines != (0, 0):
            found = self._at((mutant.file, line) for line in range(mutant.lines[0], mutant.lines[1] + 1))
        else:
            found = self._at(self._usage.places(mutant.names))
            if not found:  # it binds no name, or one that no test comes to see: all tests that use its file
                found = self._at((mutant.file, line) for line in list(self._tests[mutant.file]))
            # A value may be read without its name, as all fields of a class are: those that import the module see it.
            found |= {
                (record.file, test)
                for record in self._records.values()
                if mutant.file in self._imports.of(record.file)
                for test in record.seconds
            }
        return self._within_budget(self._ordered(mutant, found))

    def modules(self, batches: Iterable[Batch], target: str, file_of: dict[str, str]) -> tuple[str, ...]:
        """Our modules that the tests import and that do not import ``target`` (a file) themselves."""
        names = {name for batch in batches for name in self._records[batch.file].modules}
        return tuple(sorted(name for name in names if target not in self._imports.reach([file_of[name]])))

    def _at(self, places: Iterable[tuple[str, int]]) -> set[tuple[str, str]]:
        found: set[tuple[str, str]] = set()
        for file, line in places:
            found |= self._tests.get(file, {}).get(line, set())
        return found

    def _ordered(self, mutant: Mutant, tests: set[tuple[str, str]]) -> list[tuple[str, str]]:
        """Quick tests before slow ones, those of files that import the module before others, cheap files first."""

        def rank(test: tuple[str, str]) -> tuple[bool, bool]:
            return self._alone_s(*test) > _QUICK_S, mutant.file not in self._imports.of(test[0])

        cost: dict[tuple[tuple[bool, bool], str], float] = defaultdict(float)
        for test in tests:
            cost[rank(test), test[0]] += self._alone_s(*test)
        return sorted(
            tests, key=lambda test: (rank(test), cost[rank(test), test[0]], test[0], self._alone_s(*test), test)
        )

    def _alone_s(self, file: str, test: str) -> float:
        record = self._records[file]
        return record.seconds[test] + sum(record.fixtures.get(key, 0.0) for key in record.used.get(test, []))

    def _within_budget(self, tests: list[tuple[str, str]]) -> tuple[Batch, ...]:
        batches: list[tuple[str, list[str], set[str]]] = []
        spent = 0.0
        for file, test in tests:
            record = self._records[file]
            paid = batches[-1][2] if batches and batches[-1][0] == file else set()
            keys = set(record.used.get(test, [])) - paid
            price = record.seconds[test] + sum(record.fixtures.get(key, 0.0) for key in keys)
            if batches and spent + price > self._budget_s:
                continue
            spent += price
            if not batches or batches[-1][0] != file:
                batches.append((file, [], set()))
            batches[-1][1].append(test)
            batches[-1][2].update(keys)
        return tuple(
            Batch(file, tuple(ids), tuple(_LIMIT_S + _LIMIT_FACTOR * self._alone_s(file, test) for test in ids))
            for file, ids, _ in batches
        )
