"""Plant small faults in the code, one at a time, and list those that no test notices (docs/mutants.md).

The first run records which tests execute which lines; then each fault faces the tests that execute it. Results are kept
in runs/mutants: Ctrl-C keeps what is done, and the next run goes on from there. Source files are never changed.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from simlingo_cli.mutants.equivalents import entry_for, read_equivalents
from simlingo_cli.mutants.page import Outcome, figures, section, status, write_sections
from simlingo_cli.mutants.pool import WorkerError
from simlingo_cli.mutants.project import MutationError, Project, Target, repository
from simlingo_cli.mutants.run import Options, run_path

_EXAMPLES = """examples:
  ./simlingo test --mutants                                   all folders, 30 minutes each at most
  ./simlingo test --mutants training/datasets                 one folder
  ./simlingo test --mutants training/trainer/losses.py --all  every mutant of one file
  ./simlingo test --mutants training/collect --minutes 5      stop after five minutes; go on later
  ./simlingo test --mutants training/collect --list-survivors --entries
"""
_INTERRUPTED = 130


def parser_of(project: Project) -> argparse.ArgumentParser:
    """The options of ``./simlingo test --mutants``."""
    folders = ", ".join(target.folder for target in project.targets)
    parser = argparse.ArgumentParser(
        prog="./simlingo test --mutants",
        description=(__doc__ or "").strip(),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"folder or file; without one: {folders}")
    parser.add_argument("--sample", type=int, metavar="N", help="mutants a folder (300; all of control)")
    parser.add_argument("--all", action="store_true", help="every mutant instead of a sample")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time (2)")
    parser.add_argument("--minutes", type=float, default=30.0, help="no trial begins later, for each PATH (30)")
    parser.add_argument("--budget", type=float, default=40.0, metavar="S", help="seconds of tests a mutant faces (40)")
    parser.add_argument(
        "--tests", nargs="+", default=[], metavar="FILE", help="only these test files; no page is written"
    )
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--list-survivors", action="store_true", help="try nothing; print what earlier runs found")
    parser.add_argument("--entries", action="store_true", help="print survivors as entries of equivalent.toml")
    return parser


def main(argv: Sequence[str], project: Project | None = None) -> int:
    """Run; 0 where every folder reaches its bound and all mutants of the sample were tried."""
    project = project or repository()
    args = parser_of(project).parse_args(argv)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        targets = _targets(project, args)
        return 1 if [target for target in targets if not _run(project, target, args)] else 0
    except KeyboardInterrupt:
        print("\nsimlingo: interrupted; what is done is kept, the same command goes on from here", file=sys.stderr)
        return _INTERRUPTED
    except MutationError as error:
        print(f"simlingo: {error}", file=sys.stderr)
        return 1
    except WorkerError as error:
        print(f"simlingo: a worker broke down, which is an error of the mutation run itself:\n{error}", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _targets(project: Project, args: argparse.Namespace) -> list[Target]:
    known = {target.folder: target for target in project.targets}
    chosen: list[Target] = []
    for word in args.paths or known:
        path = Path(word)
        path = path if path.is_absolute() else project.root / path
        if not path.exists() or not path.resolve().is_relative_to(project.root):
            raise MutationError(f"no folder or file {word} in the repository. Mutated by default: {', '.join(known)}.")
        name = project.name(path)
        if not any(Path(name).is_relative_to(package) for package in project.packages):
            raise MutationError(
                f"{name} is no code of a package; mutants can be planted in {', '.join(project.packages)}."
            )
        chosen.append(known.get(name, Target(name, 300, 0.0)))
    return chosen


def _run(project: Project, target: Target, args: argparse.Namespace) -> bool:
    """One folder; whether it reaches its bound."""
    equivalents = read_equivalents(project.equivalents)
    options = Options(
        jobs=args.jobs,
        seed=args.seed,
        minutes=args.minutes,
        budget_s=args.budget,
        tests=tuple(project.name(Path(test)) for test in args.tests),
        fresh=args.fresh,
        keep_only=args.list_survivors,
    )
    count = None if args.all else args.sample or target.sample
    found, outcomes = run_path(project, target.folder, count, equivalents, options)
    if target in project.targets and not args.tests:
        write_sections(
            project.page,
            {target.folder: section(target.folder, found, outcomes, args.seed)},
            [other.folder for other in project.targets],
        )
    return _report(
        target, found, outcomes, equivalents.stale(target.folder, [o.mutant for o in outcomes]), args.entries
    )


def _report(target: Target, found: int, outcomes: Sequence[Outcome], stale: Sequence[str], entries: bool) -> bool:
    told = figures(found, outcomes)
    for outcome in outcomes:
        if status(outcome) in ("survived", "uncovered"):
            mutant = outcome.mutant
            print(
                f"{status(outcome)}: {mutant.file}:{mutant.line} {mutant.function} {mutant.operator}: {mutant.change}"
                f"\n    {mutant.text}"
            )
            if entries:
                print(f"\n{entry_for(mutant)}\n")
    for words in stale:
        print(f"warning: an entry of equivalent.toml fits no mutant of this run any more: {words}")
    count = told.statuses
    if count["equivalent"] > 0.05 * told.planted:
        print(f"warning: {count['equivalent']} of {told.planted} are called equivalent; at most 5 % should be")
    words = ", ".join(f"{count[name]} {name}" for name in sorted(count))
    print(
        f"=== {target.folder}: {told.planted} of {found} mutants: {words}; "
        f"noticed {100 * told.share:.1f} % (bound {100 * target.bound:.0f} %)",
        flush=True,
    )
    return told.share >= target.bound and not count["waiting"]
