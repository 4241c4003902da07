"""``python -m training.language.dreams DATA --frame N``: draw the dreams of a stored frame."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from simlingo.contracts import InvalidInputError, SimlingoError
from training.datasets.reader import open_dataset, read_row
from training.language.dreams.pictures import draw, sentence
from training.language.dreams.route_dreams import RouteDreams


def main(arguments: list[str] | None = None) -> int:
    """Draw one frame; 1 where there is none such."""
    parser = argparse.ArgumentParser(prog="python -m training.language.dreams", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA", help="folder of a data set")
    parser.add_argument("--route", help="name of the route (default: the first)")
    parser.add_argument("--frame", type=int, required=True, help="number of the frame in its route")
    parser.add_argument("--seed", type=int, default=0, help="other seeds draw other requests (default 0)")
    parser.add_argument("--out", type=Path, help="picture to write (default: DATA/dreams_ROUTE_FRAME.png)")
    args = parser.parse_args(arguments)
    try:
        return _draw(args)
    except SimlingoError as error:
        print(f"dreams: {error}", file=sys.stderr)
        return 1


def _draw(args: argparse.Namespace) -> int:
    routes = open_dataset([args.data]).routes
    chosen = [route for route in routes if args.route in (None, route.name)]
    if not chosen:
        raise InvalidInputError(
            f"{args.data} has no route {args.route}; it has {', '.join(route.name for route in routes)}"
        )
    whole = RouteDreams(chosen[0], args.seed)
    numbers = {int(row["frame"]): number for number, row in enumerate(whole.rows)}
    if args.frame not in numbers:
        raise InvalidInputError(
            f"{chosen[0].name} has no frame {args.frame}; its frames are {min(numbers)} to {max(numbers)}, some left out"
        )
    number = numbers[args.frame]
    scene, dreams = whole.scene(number), whole.dreams(number)
    image = read_row(chosen[0], whole.numbers[number], ["image"])["image"]
    out = args.out or args.data / f"dreams_{chosen[0].name}_{args.frame:05d}.png"
    draw(out, scene, dreams, image)
    for dream in dreams:
        print(sentence(dream))
    print(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
