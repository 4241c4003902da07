"""Measure the renderer: frames per CPU-second on one thread, 4 samples per pixel, sun shadow."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simlingo_sim.errors import SimulatorError

if TYPE_CHECKING:
    from simlingo_sim.render.renderer import Renderer
    from simlingo_sim.render.scene import SceneFrame

#: Sizes of the project's figures: the model's own and the camera's.
SIZES = ("448x224", "1024x512")
_ROUNDS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--frames", type=int, default=100, help="frames per round, %(default)s by default; three rounds"
    )
    parser.add_argument(
        "--size", action="append", metavar="WxH", help=f"picture size, repeatable (default {' and '.join(SIZES)})"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise SimulatorError(f"--size {text} is no size: write it as 448x224")
    return int(width), int(height)


def _round_rate(renderer: Renderer, poses: list[Any], size: tuple[int, int], scene: SceneFrame) -> float:
    """Frames per CPU-second of one pass over ``poses``."""
    from simlingo_sim.render.bench_scene import FOV_DEG

    begin = time.process_time()
    for pose in poses:
        renderer.render(pose, *size, FOV_DEG, scene)
    return len(poses) / (time.process_time() - begin)


def measure(frames: int, sizes: list[tuple[int, int]]) -> dict[str, Any]:
    """Figures of the benchmark scene and of the whole town, by size."""
    from simlingo_sim.render.bench_scene import (
        CARS,
        TRIANGLES,
        WALKERS,
        bench_frame,
        bench_mesh,
        bench_town,
        camera_poses,
    )
    from simlingo_sim.render.bench_scene import TOWN as TOWN_NAME
    from simlingo_sim.render.renderer import Renderer
    from simlingo_sim.render.town_mesh import town_mesh

    town = bench_town()
    scene = bench_frame(town)
    poses = camera_poses(town, frames)
    whole = town_mesh(TOWN_NAME)
    results = []
    for name, mesh in (("benchmark scene", bench_mesh(town, scene)), (f"whole {TOWN_NAME}", whole)):
        renderer = Renderer(mesh)
        for size in sizes:
            for pose in poses[:2]:
                renderer.render(pose, *size, 110.0, scene)
            rates = [_round_rate(renderer, poses, size, scene) for _ in range(_ROUNDS)]
            results.append(
                {
                    "scene": name,
                    "size": f"{size[0]}x{size[1]}",
                    "frames_per_cpu_second": round(statistics.median(rates), 1),
                    "rounds": [round(rate, 1) for rate in rates],
                    "town_triangles": len(mesh.triangles),
                }
            )
    return {
        "triangles": TRIANGLES,
        "cars": CARS,
        "walkers": WALKERS,
        "samples_per_pixel": 4,
        "sun_shadow": True,
        "threads": 1,
        "frames_per_round": frames,
        "results": results,
    }


def run(args: argparse.Namespace) -> int:
    """Measure, print a table and write the JSON file where asked."""
    sizes = [_size(text) for text in args.size or SIZES]
    if args.frames < 1:
        raise SimulatorError(f"--frames {args.frames} is too few: give at least 1")
    if args.json is not None and (args.json.is_dir() or not args.json.absolute().parent.is_dir()):
        raise SimulatorError(f"--json {args.json} cannot be written: name a file in a folder that is there")
    figures = measure(args.frames, sizes)
    print("frames per CPU-second, one thread, 4 samples per pixel, sun shadow, 30 cars, 20 pedestrians")
    for row in figures["results"]:
        print(f"  {row['scene']:<16} {row['size']:>9}  {row['frames_per_cpu_second']:7.1f}   (rounds {row['rounds']})")
    if args.json is not None:
        partial = args.json.with_name(args.json.name + ".part")
        partial.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, args.json)
    return 0
