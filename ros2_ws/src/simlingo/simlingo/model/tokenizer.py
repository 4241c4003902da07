"""The model's tokenizer: byte-level BPE read from ``tokenizer.json``."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from simlingo.contracts import InvalidInputError
from simlingo.model.prompt import IMAGE_CONTEXT, SPECIAL_TOKENS, TARGET_POINT


class PromptTokenizer:
    """Text to token ids; every special token is one id."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        ids = {token: tokenizer.token_to_id(token) for token in SPECIAL_TOKENS}
        known = {token: number for token, number in ids.items() if number is not None}
        if len(known) < len(ids):
            missing = sorted(ids.keys() - known.keys())
            raise InvalidInputError(f"the tokenizer lacks the tokens {missing}; take the tokenizer.json of the weights")
        self._tokenizer = tokenizer
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

    def encode(self, text: str) -> list[int]:
        """Token ids of ``text``."""
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text of ``ids`` without special tokens."""
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text
