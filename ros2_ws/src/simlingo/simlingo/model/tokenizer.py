"""The model's tokenizer: byte-level BPE read from ``tokenizer.json``."""

from __future__ import annotations

import re
from pathlib import Path

from tokenizers import Tokenizer

from simlingo.contracts import InvalidInputError
from simlingo.model.prompt import IMAGE_CONTEXT, SPECIAL_TOKENS, TARGET_POINT
from simlingo.model.user_text import GUARD, MAX_TEXT_TOKENS


class PromptTokenizer:
    """Text to token ids; every special token is one id, but not inside user text.

    May be used from several threads.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        ids = {token: tokenizer.token_to_id(token) for token in SPECIAL_TOKENS}
        known = {token: number for token, number in ids.items() if number is not None}
        if len(known) < len(ids):
            missing = sorted(ids.keys() - known.keys())
            raise InvalidInputError(f"the tokenizer lacks the tokens {missing}; take the tokenizer.json of the weights")
        # A file may ask for both; they would cut a prompt's end off or put tokens before it.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        in_pieces = sorted(token for token, number in known.items() if self.encode(token) != [number])
        if in_pieces:
            raise InvalidInputError(
                f"the tokenizer cuts {in_pieces} into pieces: they are no special tokens there; take the tokenizer.json of "
                "the weights"
            )
        self._added = {token.content: number for number, token in tokenizer.get_added_tokens_decoder().items()}
        longest_first = sorted(self._added, key=len, reverse=True)
        self._added_pattern = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")
        self.vocab_size: int = tokenizer.get_vocab_size()
        self.image_context_id: int = known[IMAGE_CONTEXT]
        self.target_point_id: int = known[TARGET_POINT]

    @classmethod
    def load(cls, path: Path) -> PromptTokenizer:
        """Read ``tokenizer.json``.

        Raises:
            InvalidInputError: missing or damaged file, or a needed token is not in it.
        """
        if not path.is_file():
            raise InvalidInputError(f"tokenizer {path} is missing; copy the whole model folder again")
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises bare Exception
            raise InvalidInputError(
                f"tokenizer {path} is damaged ({error}); copy the whole model folder again"
            ) from error
        return cls(tokenizer)

    @property
    def vocabulary(self) -> dict[str, int]:
        """Every token as the tokenizer spells it, with its id."""
        found: dict[str, int] = self._tokenizer.get_vocab()
        return found

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``; what stands between guards is plain text, whatever it spells (spec A.6).

        Raises:
            InvalidInputError: user text of more than ``MAX_TEXT_TOKENS`` tokens, or a guard without its second.
        """
        if GUARD in text:
            return self._encode_guarded(text.split(GUARD))
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text of ``ids`` without special tokens."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def _encode_guarded(self, parts: list[str]) -> list[int]:
        """Ids of the template's parts and user texts in turn; words run on over a guard as if it were not there."""
        if len(parts) % 2 == 0:
            raise InvalidInputError(
                "a prompt holds the code point U+FDD0, which is no text; put user text through guarded"
            )
        ids: list[int] = []
        run = ""
        for number, part in enumerate(parts):
            if number % 2:
                self._check_length(part)
                run += part
                continue
            for place, piece in enumerate(self._added_pattern.split(part)):
                if place % 2:
                    ids += [*self._encode_plain(run), self._added[piece]]
                    run = ""
                else:
                    run += piece
        return ids + self._encode_plain(run)

    def _encode_plain(self, text: str) -> list[int]:
        """Ids of ``text`` in which no special token is looked for.

        The stages of the backend one by one: its switch ``encode_special_tokens`` is state that other threads would
        see, and leaves out added tokens that are not special.
        """
        if not text:
            return []
        backend = self._tokenizer
        if backend.normalizer is not None:
            text = backend.normalizer.normalize_str(text)
        pieces = backend.pre_tokenizer.pre_tokenize_str(text) if backend.pre_tokenizer is not None else [(text, None)]
        return [token.id for piece, _ in pieces for token in backend.model.tokenize(piece)]

    def _check_length(self, text: str) -> None:
        if 3 * len(text.encode()) <= MAX_TEXT_TOKENS:  # a token is a byte or more, NFC makes at most three bytes of one
            return
        if (count := len(self._encode_plain(text))) > MAX_TEXT_TOKENS:
            raise InvalidInputError(
                f"the text {text[:40]!r}… has {count} tokens, at most {MAX_TEXT_TOKENS} fit the prompt; shorten it"
            )
