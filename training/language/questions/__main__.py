"""``python -m training.language.questions DATA``: a sample of questions with their answers, to read and to look at."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from simlingo.arguments import whole
from simlingo.contracts import SimlingoError
from training.datasets.reader import Route, open_dataset, read_row
from training.language.questions.ask import ask_words, every_question, questions_of
from training.language.questions.frames import scene_at
from training.language.questions.question import TYPES, Question
from training.language.questions.sheet import Tile, write_sheets


def main() -> int:
    """Print and draw; 0 when it worked."""
    parser = argparse.ArgumentParser(prog="python -m training.language.questions", description=__doc__)
    parser.add_argument("data", type=Path, help="folder that ./simlingo collect wrote")
    parser.add_argument("--count", type=whole(1), default=12, help="pictures to draw (default 12)")
    parser.add_argument("--per-picture", type=whole(1), default=8, help="questions a picture, at most (default 8)")
    parser.add_argument("--out", type=Path, default=Path("questions"), help="folder of the sheets (default: questions)")
    parser.add_argument("--types", nargs="+", choices=TYPES, help="only these types, every question of theirs")
    parser.add_argument("--seed", type=whole(0), default=0, help="other seeds draw others (default 0)")
    args = parser.parse_args()
    try:
        return _run(args)
    except SimlingoError as error:
        print(f"questions: {error}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace) -> int:
    rng = np.random.default_rng(args.seed)
    rows = [(route, index) for route in open_dataset([args.data]).routes for index in range(route.rows)]
    tiles: list[Tile] = []
    counts: Counter[tuple[str, str]] = Counter()
    for number in rng.permutation(len(rows)):
        if len(tiles) == args.count:
            break
        route, index = rows[int(number)]
        questions = _drawn(route, index, args.types, rng)[: args.per_picture]
        if questions:
            tiles.append(_tile(route, index, questions, rng))
            counts.update((question.type, question.answer) for question in questions)
    for tile in tiles:
        print(tile.title, *tile.lines, sep="\n  ")
    for (kind, answer), count in sorted(counts.items()):
        print(f"{kind:26} {answer:40} {count}")
    for path in write_sheets(args.out, tiles):
        print(path)
    return 0


def _drawn(route: Route, index: int, types: list[str] | None, rng: np.random.Generator) -> list[Question]:
    scene = scene_at(route, index)
    if types:
        return [question for question in every_question(scene) if question.type in types]
    return questions_of(scene, rng)


def _tile(route: Route, index: int, questions: list[Question], rng: np.random.Generator) -> Tile:
    row = read_row(route, index, ("image", "view", "frame", "counterfactual"))
    title = f"{route.name} row {index} frame {row['frame']} {row['view']} {row['counterfactual']}"
    lines = tuple(
        f"[{question.answer}] {question.type}: {ask_words(question, rng)} {question.sentence}" for question in questions
    )
    return Tile(title, row["image"], lines)


if __name__ == "__main__":
    sys.exit(main())
