"""What a comment cites can be looked up: "spec D.5" is a heading of docs/published-system.md."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/published-system.md"
#: Where sources and pages lie; files at the root's top are read as well.
FOLDERS = ("bootstrap", "cli", "docs", "launch", "ros2_ws/src", "tests", "training")
ENDINGS = {".py", ".md", ".msg", ".yaml"}

_NUMBER = r"[0A-Z](?:\.\d+)?\b"
#: A line's end inside a comment.
_GAP = r"(?:\s|#:?)+"
_CITATION = re.compile(rf"\bspec,?(?:{_GAP})\(?({_NUMBER}(?:(?:,|{_GAP}to|{_GAP}and){_GAP}{_NUMBER})*)")
_HEADING = re.compile(r"^#{2,3} ([0A-Z](?:\.\d+)?)\.? ", re.MULTILINE)
#: The design paper is no part of the repository, so that nobody can look its sections up.
_DESIGN = re.compile(r"\bdesign,?\s+sections?\b", re.IGNORECASE)


def cited(text: str) -> list[str]:
    """Numbers of the headings that ``text`` cites, in order."""
    return [number for match in _CITATION.finditer(text) for number in re.findall(_NUMBER, match[1])]


def headings(page: str) -> list[str]:
    """Numbers of a page's headings, in order."""
    return _HEADING.findall(page)


def dangling(numbers: set[str], page: str) -> set[str]:
    """Those of ``numbers`` that are no heading of ``page``."""
    return numbers - set(headings(page))


def sources() -> Iterator[Path]:
    """Every source file and page of the repository."""
    yield from (path for path in ROOT.iterdir() if path.suffix in ENDINGS)
    for folder in FOLDERS:
        yield from (path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in ENDINGS and path.is_file())


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Text of each source file, by its path in the repository; this file, whose examples cite at will, is left out."""
    own = Path(__file__).resolve()
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sources() if path.resolve() != own
    }


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(spec D.5)", ["D.5"]),
        ("spec A.6, B.6, D.4).", ["A.6", "B.6", "D.4"]),
        ("spec A.3 to A.7", ["A.3", "A.7"]),
        ("spec B.1, B.2 and K.1", ["B.1", "B.2", "K.1"]),
        ("the\n#: spec\n#: E.1, N)", ["E.1", "N"]),
        ("as spec L has it", ["L"]),
        ("spec 0.6", ["0.6"]),
        ("the spec (D.5, D.6)", ["D.5", "D.6"]),
        ("spec Some words, spec: 0.05, spec of it, spec.A, inspec A.2", []),
    ],
)
def test_citations_are_found(text: str, numbers: list[str]) -> None:
    assert cited(text) == numbers


def test_every_citation_is_a_heading(texts: dict[str, str], page: str) -> None:
    wrong = {name: numbers for name, text in texts.items() if (numbers := dangling(set(cited(text)), page))}
    assert not wrong, f"no such heading in {PAGE.name}"


def test_a_heading_that_is_cited_cannot_go(texts: dict[str, str], page: str) -> None:
    numbers = {number for text in texts.values() for number in cited(text)}
    assert len(numbers) > 20
    for number in numbers:
        without = re.sub(rf"^#+ {re.escape(number)}\.? .*$", "", page, flags=re.MULTILINE)
        assert dangling(numbers, without) == {number}


def test_no_heading_stands_twice(page: str) -> None:
    assert [number for number, count in Counter(headings(page)).items() if count > 1] == []


def test_no_section_is_cited_that_nobody_can_read(texts: dict[str, str]) -> None:
    assert [name for name, text in texts.items() if _DESIGN.search(text)] == []
