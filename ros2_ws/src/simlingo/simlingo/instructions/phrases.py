"""Phrases that mean a navigation command: the input side of the instruction topic.

A sentence is understood only where the whole of it, after politeness is taken away, is one phrase of the
table below. So a negation, an alternative or a second request ("do not turn left", "left or right", "turn
left and stop") never matches by accident: it is answered ``None``, and the caller says "not understood".
What the model reads for a command is the business of ``simlingo.model.prompt``.
"""

from __future__ import annotations

import re
import unicodedata

from simlingo.contracts import Command

_NEXT = r"(?:next|first|upcoming|coming)"
_PLACE = (
    r"(?:junction|intersection|crossing|cross ?roads?|corner|t junction|t intersection"
    r"|(?:traffic |stop )?lights?|(?:traffic )?signals?|set of lights)"
)
_JUNCTION = rf"(?:the|this|that)(?: {_NEXT})? {_PLACE}(?: ahead)?"
_REACH = r"(?:at|on|in|from|when (?:you|we) (?:get to|reach|come to|are at)|once (?:you|we) (?:get to|reach))"
_WHERE = rf"(?:(?:{_REACH} {_JUNCTION})|(?:up )?ahead|here|next|soon|as soon as (?:possible|you can))"
_ROAD = r"(?:the|this|your|our)(?: current| same)? (?:road|lane|street|track)"
_GO = r"(?:go|going|drive|driving|head|heading|move|carry on|keep|continue|proceed|stay)"

#: Side phrases; ``{side}`` is "left" or "right".
_SIDE_PHRASES = (
    r"(?:turn|go|drive|head|bear|steer|turn off)(?: to (?:the|your))? {side}",
    r"(?:go |drive )?{side}",
    r"(?:(?:the )?next )?{side}(?: turn)?",
    rf"(?:take|make|do) (?:a|the|your)(?: {_NEXT})? {{side}}(?: turn| turning| exit| hand turn)?",
    rf"(?:take|make|do) (?:a|the|your)(?: {_NEXT})? (?:turn|turning|street|road|exit) (?:to|on) (?:the|your) {{side}}",
    rf"turn (?:{{side}} )?into the(?: {_NEXT})? (?:street|road) (?:to|on) (?:the|your) {{side}}",
    r"make a turn (?:to the )?{side}",
)

#: Phrases that cross a junction without turning.
_STRAIGHT_PHRASES = (
    rf"(?:{_GO} )*straight(?: on| ahead| forward| over| through| across)?",
    rf"(?:{_GO} )+(?:straight )?(?:on |over |through |across )+{_JUNCTION}",
    rf"straight (?:on |over |through |across )+{_JUNCTION}",
    rf"cross {_JUNCTION}(?: straight)?(?: ahead| on)?",
)

#: Phrases that mean the road's own course, whatever comes.
_FOLLOW_PHRASES = (
    rf"(?:keep |continue |just )?(?:follow|following) (?:the course of )?{_ROAD}(?: ahead)?",
    rf"{_GO}(?: on| along| in| following| down| within| driving| to)+ {_ROAD}",
    rf"keep {_ROAD}",
    r"lane follow(?:ing)?",
)

_FRONT = (
    r"(?:please|kindly|now|then|just|ok(?:ay)?|hey|hello|hi|so|well|car|simlingo|driver|and"
    r"|(?:could|can|would|will) you|(?:i|we) (?:want|need|would like) you to|id like you to|let us|lets"
    r"|you (?:should|must|can))"
)
_BACK = r"(?:please|now|then|thanks|thank you(?: very much)?|for me|ok(?:ay)?|will you|would you|could you|again|car)"


def _compile(phrases: tuple[str, ...], **names: str) -> re.Pattern[str]:
    """One pattern of the phrases, each with an optional place before or after it."""
    body = "|".join(f"(?:{phrase.format(**names) if names else phrase})" for phrase in phrases)
    place = rf"(?:{_REACH} {_JUNCTION} )?"
    return re.compile(rf"{place}(?:{_FRONT} )*(?:{body})(?: {_WHERE})?")


_TABLE: tuple[tuple[re.Pattern[str], Command], ...] = (
    (_compile(_SIDE_PHRASES, side="left"), Command.LEFT),
    (_compile(_SIDE_PHRASES, side="right"), Command.RIGHT),
    (_compile(_STRAIGHT_PHRASES), Command.STRAIGHT),
    (_compile(_FOLLOW_PHRASES), Command.FOLLOW_LANE),
)
_FRONT_PATTERN = re.compile(rf"^(?:{_FRONT} )+")
_BACK_PATTERN = re.compile(rf"(?: {_BACK})+$")
_PLACE_PATTERN = re.compile(rf"\b{_PLACE}\b")
#: Longer texts are no command of a few words; the bound also keeps matching time small.
MAX_LENGTH = 160


def normalise(text: str) -> str:
    """``text`` in lower case, with letters, digits and single spaces only, politeness at both ends removed."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("'", "").replace("’", "")
    words = " ".join(re.sub(r"[^\w]+|_", " ", folded).split())
    return _BACK_PATTERN.sub("", _FRONT_PATTERN.sub("", words))


def parse(text: str) -> Command | None:
    """The navigation command that ``text`` asks for.

    Returns:
        ``LEFT``, ``RIGHT`` or ``STRAIGHT`` for the next junction, ``FOLLOW_LANE`` for the road's own course;
        ``None`` where the text is empty, ambiguous, negated or about something else.
    """
    if len(text) > MAX_LENGTH:
        return None
    words = normalise(text)
    found = {command for pattern, command in _TABLE if pattern.fullmatch(words)}
    return found.pop() if len(found) == 1 else None


def names_junction(text: str) -> bool:
    """Whether ``text`` says at which junction: "turn right at the next junction", and not "take the next right"."""
    return _PLACE_PATTERN.search(normalise(text)) is not None
