"""Text of people and of data on its way into a prompt: checked, cleaned and marked as text.

A question may hold ``<|im_end|>`` or ``<IMG_CONTEXT>``. In the model's sequence these would end a turn or ask for
another picture, so such text stands between two guards in a prompt, and the tokenizer looks for special tokens outside
them only.
"""

from __future__ import annotations

import re

from simlingo.contracts import InvalidInputError

#: Encloses user text. A Unicode noncharacter: reserved for use inside a program, never part of a text; stripped from
#: user text all the same, so that no text ends its own guard.
GUARD = "\ufdd0"
#: Longest user text. A picture of 512 tokens, the prompt's own words (about 60), this, an answer of 100 and 30 queries
#: stay below 1024 positions; a question has 10 to 40.
MAX_TEXT_TOKENS = 256
#: No text of so many bytes has few enough tokens; refused before it costs time.
MAX_TEXT_BYTES = 16 * MAX_TEXT_TOKENS

_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def guarded(text: str | bytes, what: str) -> str:
    """``text`` as it goes into a prompt, between guards; its tokens are counted when the prompt is encoded.

    Newlines, tabs and control characters become one space, with the spaces around them; none stay at the ends.

    Args:
        text: Unicode, or UTF-8 bytes.
        what: the text's name in errors.

    Raises:
        InvalidInputError: no valid Unicode, empty, or longer than ``MAX_TEXT_BYTES``.
    """
    try:
        raw = text if isinstance(text, bytes) else text.encode()
        words = raw.decode()
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the {what} is no valid Unicode ({error.reason}); send it as UTF-8") from error
    if len(raw) > MAX_TEXT_BYTES:
        raise InvalidInputError(f"the {what} has {len(raw)} bytes, at most {MAX_TEXT_BYTES} are read; shorten it")
    words = _GAPS.sub(lambda gap: " " if gap[0].strip(" ") else gap[0], words.replace(GUARD, ""))
    words = words.strip()
    if not words:
        raise InvalidInputError(f"the {what} is empty; say something")
    return f"{GUARD}{words}{GUARD}"
