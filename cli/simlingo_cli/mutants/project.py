"""Which code is mutated, which tests face it, and where results go."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path


class MutationError(Exception):
    """A run cannot begin or go on; the sentence says why and what to do."""


@dataclass(frozen=True)
class Target:
    """A folder that is mutated."""

    folder: str
    sample: int | None  # mutants of a run; None for all
    bound: float  # share that the tests have to notice, 0 to 1


@dataclass(frozen=True)
class Project:
    """A repository as the mutation run sees it; all names are relative to ``root``, with slashes."""

    root: Path
    sources: tuple[str, ...]  # folders on the module path
    packages: tuple[str, ...]  # folders whose code the tests run
    targets: tuple[Target, ...]
    tests: str  # the folder of the tests
    state: Path  # results and recordings
    page: Path  # where survivors are listed
    equivalents: Path  # mutants that no test can tell, with reasons

    def name(self, path: Path) -> str:
        """A path inside the repository, as it is written in results."""
        return path.resolve().relative_to(self.root).as_posix()

    def module(self, file: str) -> str:
        """The dotted module name of a source file."""
        path = Path(file)
        homes = [Path(source) for source in self.sources if path.is_relative_to(source)]
        parts = path.relative_to(max(homes, key=lambda home: len(home.parts))).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def files(self, folder: str) -> list[str]:
        """Python files of a folder, or the file itself."""
        path = self.root / folder
        found = [path] if path.is_file() else sorted(path.rglob("*.py"))
        return [self.name(file) for file in found if file.suffix == ".py"]

    def test_files(self) -> list[str]:
        """All test files."""
        return [file for file in self.files(self.tests) if Path(file).name.startswith("test_")]

    def digest(self, file: str) -> str:
        """Digest of a file's content; of a missing file the empty word."""
        path = self.root / file
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def repository() -> Project:
    """This repository."""
    root = Path(__file__).resolve().parents[3]
    names = ("simlingo", "simlingo_sim", "simlingo_drive", "simlingo_node")
    packages = tuple(f"ros2_ws/src/{name}/{name}" for name in names)
    return Project(
        root=root,
        sources=(".", "cli", *(package.rpartition("/")[0] for package in packages)),
        packages=(*packages, "training"),
        targets=(
            Target("training/collect", 300, 0.85),
            Target("training/datasets", 300, 0.85),
            Target("training/trainer", 300, 0.85),
            Target("ros2_ws/src/simlingo/simlingo/control", None, 0.95),
        ),
        tests="tests/unit",
        state=root / "runs/mutants",
        page=root / "docs/mutants.md",
        equivalents=root / "tests/mutants/equivalent.toml",
    )
