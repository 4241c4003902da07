"""``python -m simlingo_sim.towns.generate [name ...]``: write the files of the towns anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from simlingo_sim.towns.generate import PLANS, generate


def main() -> None:
    """Write each file whole: temporary name, then rename."""
    parser = argparse.ArgumentParser(prog="python -m simlingo_sim.towns.generate", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of {', '.join(PLANS)}; default: all")
    names = parser.parse_args().names or list(PLANS)
    for name in names:
        if name not in PLANS:
            parser.error(f"unknown town {name!r}: choose from {', '.join(PLANS)}")
        folder = Path(__file__).parent.parent / name
        folder.mkdir(exist_ok=True)
        for file_name, text in generate(name).items():
            temporary = folder / f"{file_name}.part"
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(folder / file_name)
            print(f"{name}/{file_name}: {len(text.encode()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
