"""``python -m training.evaluation.language.freeze NAME``: render a list's frames and write their hashes into it."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from simlingo.arguments import whole
from simlingo.contracts import SimlingoError
from training.datasets.reader import open_dataset
from training.evaluation.language.bars import Bars
from training.evaluation.language.frames import LISTS, FrameList, collect, hashes_of


def main(arguments: list[str] | None = None) -> int:
    """Freeze a list; 0 when it is written."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluation.language.freeze", description=__doc__)
    parser.add_argument("name", choices=sorted(path.stem for path in LISTS.glob("*.json")), help="the list")
    parser.add_argument(
        "--data", type=Path, default=Path("data/suites"), help="folder of frames (default: data/suites)"
    )
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="processes (default: one a core)")
    args = parser.parse_args(arguments)
    try:
        print(freeze(FrameList.load(args.name), args.data, args.jobs))
    except SimlingoError as error:
        print(f"freeze: {error}", file=sys.stderr)
        return 1
    return 0


def freeze(frame_list: FrameList, data: Path, jobs: int) -> Path:
    """Render the frames of a list as the code makes them now, and write their hashes into the list's file."""
    bare = replace(frame_list, hashes={})
    folder = data / f"{bare.name}-{bare.key}"
    with Bars(Console(stderr=True)) as bars:
        collect(bare, folder, bare.routes, jobs, bars.begin)
    frozen = replace(bare, hashes={route.name: hashes_of(route) for route in open_dataset([folder]).routes})
    path = frozen.save()
    folder.rename(data / f"{frozen.name}-{frozen.key}")
    return path


if __name__ == "__main__":
    sys.exit(main())
