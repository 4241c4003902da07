"""The mutation run on a small project: what a good test kills, what a weak one lets live, what is kept between runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from simlingo_cli.mutants.equivalents import entry_for, read_equivalents
from simlingo_cli.mutants.finding import mutants_of
from simlingo_cli.mutants.imports import Imports
from simlingo_cli.mutants.project import MutationError, Project

pytest.importorskip("coverage", reason="coverage is not installed; ./simlingo test installs it")
ROOT = Path(__file__).resolve().parents[2]
START = """
import sys
from pathlib import Path
from simlingo_cli.mutants.command import main
from simlingo_cli.mutants.project import Project, Target
root = Path(sys.argv[1])
sys.exit(main(sys.argv[2:], Project(root, (".",), ("pkg", "app"), (Target("pkg", None, 0.9),), "tests", root / "state",
                                    root / "page.md", root / "equivalent.toml")))
"""
FILES = {
    "pkg/__init__.py": "",
    "pkg/sums.py": """
        LIMIT = 10

        def clamp(x, low, high):
            if x < low:
                return low
            return high if x > high else x

        def below(x):
            return x < LIMIT

        def weak(x):
            return x + 7

        def nobody(x):
            return x - 8

        def from_afar(x):
            return x - 5
        """,
    "app/__init__.py": "",
    "app/shown.py": """
        from pkg.sums import from_afar

        def shown(x):
            return f"{from_afar(x)} m"
        """,
    "tests/test_shown.py": """
        from app.shown import shown

        def test_shown():
            assert shown(7) == "2 m"
        """,
    "pkg/options.py": """
        from dataclasses import dataclass

        @dataclass
        class Options:
            depth: int = 3

        def deeper(options):
            return options.depth + 1
        """,
    "tests/test_options.py": """
        from dataclasses import astuple
        from pkg.options import Options, deeper

        def test_all():  # without the name of the field
            assert astuple(Options()) == (3,)

        def test_deeper():
            assert deeper(Options(5)) == 6
        """,
    "pkg/child.py": """
        def halved(x):
            return x // 2
        """,
    "tests/test_sums.py": """
        import pytest
        from pkg.sums import below, clamp, weak

        @pytest.fixture(scope="module")
        def weakly():
            return weak(1)

        def test_clamp():
            assert [clamp(x, 2, 6) for x in (1, 2, 3, 6, 7)] == [2, 2, 3, 6, 6]
            assert type(clamp(2.0, 2, 6)) is float
            assert type(clamp(6.0, 2, 6)) is float

        def test_below():
            assert below(9)
            assert not below(10)

        def test_weak(weakly):
            assert weakly

        def test_weak_again(weakly):
            assert weakly > 0
        """,
    "tests/test_child.py": """
        import subprocess, sys

        def test_halved():  # in a process of its own
            code = "from pkg.child import halved; print(halved(9))"
            assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "4\\n"

        def test_other_code():  # of which no line is counted, and nothing is said about that
            assert subprocess.run([sys.executable, "-c", "1"], capture_output=True, text=True).stderr == ""
        """,
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip())


def command(root: Path, *words: str) -> list[str]:
    return [sys.executable, "-c", START, str(root), *words]


def environment(root: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SIMLINGO", "COV"))}
    return kept | {"PYTHONPATH": f"{root}:{ROOT / 'cli'}"}


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(root, *words), cwd=root, env=environment(root), capture_output=True, text=True)


def results(root: Path) -> dict[str, str]:
    """Status by the changed words and their line."""
    texts = {}
    for file in sorted((root / "pkg").glob("*.py")):
        for mutant in mutants_of(f"pkg/{file.name}", file.read_bytes()):
            texts[mutant.key] = f"{mutant.text}: {mutant.change}"
    found = {}
    for name in ("near", "far"):
        journal = root / f"state/pkg.{name}.jsonl"
        if journal.is_file():
            rows = [json.loads(line) for line in journal.read_text().splitlines()]
            found.update(
                {texts[row["key"]]: row["status"] for row in rows if row["status"] != "uncovered" or name == "near"}
            )
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The project after one run."""
    root = tmp_path_factory.mktemp("project").resolve()
    write(root, FILES)
    return root, run(root)


@pytest.mark.medium
def test_good_tests_kill_and_weak_ones_let_live(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    root, done = first
    found = results(root)
    survived = {name for name, status in found.items() if status == "survived"}
    assert survived == {"return x + 7: 7 -> 8", "return x + 7: 7 -> 6"}
    assert found["return x + 7: + -> -"] == "killed"  # -6 is not above 0: the second test of the shared fixture
    assert found["LIMIT = 10: 10 -> 11"] == found["LIMIT = 10: 10 -> 9"] == "killed"  # a line of the import
    assert found["depth: int = 3: 3 -> 4"] == found["depth: int = 3: 3 -> 2"] == "killed"
    assert found["return x - 8: - -> +"] == "uncovered"
    assert found["return x - 5: - -> +"] == "killed"  # by a test that does not import the file itself
    assert {status for name, status in found.items() if "clamp" in name or "// 2" in name} == {"killed"}
    assert done.returncode == 1  # below the bound of 90 %
    assert "survived: pkg/sums.py:12 weak constant: 7 -> 8" in done.stdout


@pytest.mark.medium
def test_the_page_lists_what_survived(first: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    root, _ = first
    page = (root / "page.md").read_text()
    assert "## pkg" in page
    assert "- `sums.py:12` weak, constant: `7 -> 8` in `return x + 7`" in page
    assert "### Executed by no test (pkg)" in page
    assert (root / "pkg/sums.py").read_text() == textwrap.dedent(FILES["pkg/sums.py"]).lstrip()


@pytest.mark.medium
def test_a_second_run_tries_only_what_changed(
    first: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    root, before = first
    tried = (root / "state/pkg.near.jsonl").read_text()
    again = run(root)
    assert again.stdout == before.stdout
    assert (root / "state/pkg.near.jsonl").read_text() == tried

    better = FILES["tests/test_sums.py"].replace("assert weakly > 0", "assert weakly == 8")
    write(root, {"tests/test_sums.py": better})
    try:
        third = run(root)
        assert "0 survived" in third.stdout or "survived" not in third.stdout
        new = (root / "state/pkg.near.jsonl").read_text().removeprefix(tried).splitlines()
        assert "test_child" not in "".join(new)  # nothing changed there
        assert results(root)["return x + 7: 7 -> 8"] == "killed"
    finally:
        write(root, {"tests/test_sums.py": FILES["tests/test_sums.py"]})


@pytest.mark.medium
def test_a_claim_of_equivalence_counts_until_a_test_tells_otherwise(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    write(root, FILES)
    mutants = {mutant.change: mutant for mutant in mutants_of("pkg/sums.py", (root / "pkg/sums.py").read_bytes())}
    claims = [mutants["7 -> 8"], mutants["< -> >="]]
    entries = [entry_for(claim).replace('reason = ""', 'reason = "nobody adds"') for claim in claims]
    stale = entries[0].replace("x + 7", "x + 17")
    (root / "equivalent.toml").write_text("\n\n".join([*entries, stale]))
    done = run(root, "pkg")
    page = (root / "page.md").read_text()
    assert "`7 -> 8` in `return x + 7` – nobody adds" in page
    assert page.count("nobody adds") == 1
    assert "survived: pkg/sums.py:12 weak constant: 7 -> 8" not in done.stdout
    assert (
        "warning: an entry of equivalent.toml fits no mutant of this run any more: pkg/sums.py, weak: return x + 17"
        in done.stdout
    )


@pytest.mark.medium
def test_an_endless_loop_is_timed_out(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    loop = "def count(n):\n    while n != 4:\n        n = n + 1\n    return n\n"
    test = "from pkg.loop import count\ndef test_count():\n    assert count(2) == 4\n"
    write(root, {"pkg/__init__.py": "", "pkg/loop.py": loop, "tests/test_loop.py": test})
    run(root)
    found = results(root)
    assert found["n = n + 1: + -> -"] == "timeout"
    assert found["return n: return n -> pass"] == "killed"
    assert "### Timed out (pkg)" in (root / "page.md").read_text()


@pytest.mark.medium
def test_tests_that_fail_by_themselves_are_named(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    write(
        root, FILES | {"tests/test_broken.py": "from pkg import sums\ndef test_it():\n    assert sums.weak(1) == 9\n"}
    )
    done = run(root)
    assert done.returncode == 1
    assert "1 tests fail without any mutant: tests/test_broken.py::test_it. Mend them first" in done.stderr
    assert "assert 8 == 9" in done.stderr
    assert not (root / "page.md").exists()


@pytest.mark.medium
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    slow = (
        FILES["tests/test_sums.py"] + "\n        def test_slow():\n            __import__('time').sleep(1.5); weak(1)\n"
    )
    write(root, FILES | {"tests/test_sums.py": slow})
    process = subprocess.Popen(command(root), cwd=root, env=environment(root), stderr=subprocess.PIPE, text=True)
    journal = root / "state/pkg.near.jsonl"
    deadline = time.monotonic() + 120.0
    while time.monotonic() < deadline and not (journal.is_file() and '"killed"' in journal.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30.0)
    assert process.returncode == 130
    assert "interrupted; what is done is kept" in said
    done = journal.read_text()
    assert run(root).returncode == 1
    assert journal.read_text().startswith(done)
    keys = [json.loads(line)["key"] for line in journal.read_text().splitlines()]
    assert len(keys) == len(set(keys))


def test_paths_that_cannot_be_mutated_are_named(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    write(root, FILES)
    assert (
        "no folder or file pkg/none.py in the repository. Mutated by default: pkg." in run(root, "pkg/none.py").stderr
    )
    assert "tests is no code of a package" in run(root, "tests").stderr
    assert "holds nothing to mutate" in run(root, "pkg/__init__.py").stderr


def test_an_entry_without_a_reason_is_named(tmp_path: Path) -> None:
    path = tmp_path / "equivalent.toml"
    (mutant, *_) = mutants_of("a.py", b"def f(x):\n    return x['a'] + 1\n")
    path.write_text(entry_for(mutant))
    with pytest.raises(MutationError, match=r"entry 1 of .* lacks reason"):
        read_equivalents(path)
    path.write_text(entry_for(mutant).replace('reason = ""', 'reason = "so"'))
    assert read_equivalents(path).reason(mutant) == "so"
    path.write_text("[[equivalent")
    with pytest.raises(MutationError, match="is no TOML"):
        read_equivalents(path)


@pytest.mark.medium
def test_a_test_that_changes_while_others_are_recorded_is_named(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    write(root, FILES)
    run(root)
    late = """
        from pathlib import Path
        from pkg.sums import weak

        def test_late():
            with Path(__file__).with_name("test_sums.py").open("a") as out:
                out.write("# changed")
            assert weak(1) == 8
        """
    write(root, {"tests/test_late.py": late})
    done = run(root)
    assert done.returncode == 1
    assert "tests/test_sums.py or a file that it uses changed while lines were recorded: run again" in done.stderr


def test_what_the_helpers_of_a_test_import_is_near_to_it(tmp_path: Path) -> None:
    helper = {
        "tests/cases.py": "from pkg.sums import weak\n",
        "tests/test_helped.py": "from cases import weak\n",
        "tests/conftest.py": "def fixture():\n    from pkg.child import halved\n",
        "tests/test_fixed.py": "def test_it(fixture): ...\n",
    }
    write(tmp_path, FILES | helper)
    imports = Imports(Project(tmp_path, (".",), ("pkg", "app"), (), "tests", tmp_path, tmp_path, tmp_path))
    assert "pkg/sums.py" in imports.of_test("tests/test_helped.py")
    assert "pkg/sums.py" not in imports.of_test("tests/test_shown.py")
    assert "pkg/child.py" not in imports.of_test("tests/test_fixed.py")
