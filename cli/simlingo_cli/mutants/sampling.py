"""Which mutants of a folder a run plants: a seeded sample that hardly changes when the code does."""

from __future__ import annotations

import hashlib

from simlingo_cli.mutants.finding import mutants_of
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.project import Project


def all_mutants(project: Project, folder: str) -> list[Mutant]:
    """Every mutant of the files of a folder."""
    return [mutant for file in project.files(folder) for mutant in mutants_of(file, (project.root / file).read_bytes())]


def sample(mutants: list[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """``count`` of the mutants (None: all), in the order of the code.

    Each mutant has a place of its own in a shuffled row, by its key and the seed: when a mutant goes, one comes.
    """
    if count is None or count >= len(mutants):
        return mutants
    row = sorted(mutants, key=lambda mutant: hashlib.sha256(f"{seed}:{mutant.key}".encode()).digest())
    kept = {mutant.key for mutant in row[:count]}
    return [mutant for mutant in mutants if mutant.key in kept]
