"""English words as a small network reads them: lower case, measures in figures, every speed in m/s as prompts tell the ego's.

What a sentence asks for stays with the network; it is only spared to learn that "Fifty KM/H" is "13.9 m/s".
"""

from __future__ import annotations

import re

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_ONES)} | {word: 20 + 10 * at for at, word in enumerate(_TENS)}

_WORD = "|".join(sorted(_VALUES, key=len, reverse=True))
_BELOW_100 = (
    rf"(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_ONES[1:10])}))?|{'|'.join(sorted(_ONES, key=len, reverse=True))}"
)
_IN_WORDS = (
    rf"(?:(?:one|a) hundred(?: (?:and )?(?:{_BELOW_100}))?|(?:{_BELOW_100}))(?: point (?:{'|'.join(_ONES[:10])}))?"
)
_NUMBER = rf"(?<![\w.])(?<!\d,)(?P<number>\d{{1,3}}(?:[.,]\d{{1,2}})?|{_IN_WORDS})[\s-]*"

#: Metres a second of each way to write a unit of speed.
_SPEED_UNITS = {
    r"km/h|kmh|kph|kilomet(?:er|re)s? (?:per|an) hour": 1.0 / 3.6,
    r"m/s|mps|met(?:er|re)s? (?:per|a) second": 1.0,
    r"mph|miles? (?:per|an) hour": 0.44704,
}
_SPEED = re.compile(rf"{_NUMBER}(?P<unit>{'|'.join(_SPEED_UNITS)})(?!\w)")
_LENGTH = re.compile(rf"{_NUMBER}(?:met(?:er|re)s?|m)(?![\w/])")
_QUOTES = str.maketrans("’‘“”", "''\"\"")


def plain_words(text: str) -> str:
    """``text`` in lower case, with straight quotes, speeds as "13.9 m/s" and lengths as "20 m"."""
    lower = text.lower().translate(_QUOTES)
    lower = _SPEED.sub(lambda found: f"{_mps(found):.1f} m/s", lower)
    return _LENGTH.sub(lambda found: f"{_value(found['number']):g} m", lower)


def speeds_mps(text: str) -> list[float]:
    """The speeds that ``text`` names, m/s, from left to right."""
    return [_mps(found) for found in _SPEED.finditer(text.lower())]


def _mps(found: re.Match[str]) -> float:
    factor = next(each for unit, each in _SPEED_UNITS.items() if re.fullmatch(unit, found["unit"]))
    return _value(found["number"]) * factor


def _value(number: str) -> float:
    if number[0].isdigit():
        return float(number.replace(",", "."))
    whole, _, tenth = number.partition(" point ")
    words = re.findall("hundred|" + _WORD, whole)
    value = sum(100 if word == "hundred" else _VALUES[word] for word in words)
    if words[:2] == ["one", "hundred"]:
        value -= 1  # it counts the hundred
    return value + (_VALUES[tenth] / 10.0 if tenth else 0.0)
