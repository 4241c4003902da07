"""Contact sheets: pictures with questions and answers below, for a person to see whether they are true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from simlingo.contracts import ImageArray

#: Size of a picture on the sheet, height of a line of text, px, and characters that fit on it.
WIDTH, HEIGHT, LINE, CHARACTERS = 700, 350, 17, 118
COLUMNS, ROWS = 2, 3


@dataclass(frozen=True)
class Tile:
    """One picture with its lines of text."""

    title: str
    image: ImageArray
    lines: tuple[str, ...]


def write_sheets(folder: Path, tiles: Sequence[Tile]) -> list[Path]:
    """Writes ``tiles``, six a sheet, as ``questions_00.png`` and so on; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, first in enumerate(range(0, len(tiles), COLUMNS * ROWS)):
        path = folder / f"questions_{number:02d}.png"
        _whole(_sheet(tiles[first : first + COLUMNS * ROWS]), path)
        written.append(path)
    return written


def _whole(picture: Image.Image, path: Path) -> None:
    """Temporary name, then rename."""
    temporary = path.with_suffix(".tmp")
    picture.save(temporary, "PNG")
    temporary.rename(path)


def _sheet(tiles: Sequence[Tile]) -> Image.Image:
    text = LINE * (2 + max(len(tile.lines) for tile in tiles))
    rows = -(-len(tiles) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + 8), rows * (HEIGHT + text)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
    for index, tile in enumerate(tiles):
        left, top = index % COLUMNS * (WIDTH + 8), index // COLUMNS * (HEIGHT + text)
        sheet.paste(Image.fromarray(np.asarray(tile.image)).resize((WIDTH, HEIGHT)), (left, top))
        draw.text((left + 4, top + HEIGHT + 1), tile.title[:CHARACTERS], fill="gray", font=font)
        for number, line in enumerate(tile.lines):
            draw.text((left + 4, top + HEIGHT + LINE * (number + 1)), line[:CHARACTERS], fill="black", font=font)
    return sheet
