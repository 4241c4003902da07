"""The tokenizer that a checkpoint comes with, completed by SimLingo's placeholder tokens (spec A.6)."""

from __future__ import annotations

from pathlib import Path

from tokenizers import AddedToken, Tokenizer

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.named import PLACEHOLDERS
from simlingo.model.config import ModelConfig, TokenIds
from simlingo.model.folder import TOKENIZER_FILE
from simlingo.model.prompt import TARGET_POINT, TURN_END
from simlingo.model.tokenizer import PromptTokenizer


def open_tokenizer(folder: Path, config: ModelConfig) -> Tokenizer:
    """The tokenizer in ``folder``, checked against a model's vocabulary.

    A base model's tokenizer gets the placeholder tokens that SimLingo adds, in its order, so that they follow the
    vocabulary.

    Raises:
        InvalidInputError: missing or damaged files, a needed token is not there, or the ids do not fit the model.
    """
    tokenizer = _read(folder)
    if tokenizer.token_to_id(TARGET_POINT) is None and config.added_tokens == len(PLACEHOLDERS):
        tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in PLACEHOLDERS])
    known = PromptTokenizer(tokenizer)
    vocabulary = config.language.vocab_size
    if known.vocab_size > vocabulary + config.added_tokens or known.image_context_id >= vocabulary:
        raise InvalidInputError(
            f"the tokenizer in {folder} has {known.vocab_size} tokens, the model {vocabulary} and "
            f"{config.added_tokens} placeholders; take the tokenizer of these weights"
        )
    _check_placeholders(tokenizer, config, folder)
    ids = config.token_ids
    found = TokenIds(known.image_context_id, known.target_point_id, known.encode(TURN_END)[0])
    if ids is not None and found != ids:
        raise InvalidInputError(
            f"the tokenizer in {folder} numbers the tokens of image, target point and end of turn {found.image_context}, "
            f"{found.target_point} and {found.end_of_turn}, the weights {ids.image_context}, {ids.target_point} and "
            f"{ids.end_of_turn}; take the tokenizer of these weights"
        )
    return tokenizer


def _check_placeholders(tokenizer: Tokenizer, config: ModelConfig, folder: Path) -> None:
    """Placeholders must follow the vocabulary in SimLingo's order: a tokenizer of another model puts them elsewhere.

    Where a model has another number of them than SimLingo, only the last is known by name: the target point.
    """
    if config.added_tokens == 0:
        return
    names = PLACEHOLDERS if config.added_tokens == len(PLACEHOLDERS) else (TARGET_POINT,)
    end = config.language.vocab_size + config.added_tokens
    for wanted, name in enumerate(names, end - len(names)):
        if (found := tokenizer.token_to_id(name)) != wanted:
            raise InvalidInputError(
                f"the tokenizer in {folder} numbers the placeholder {name} {found}, the weights {wanted}: it belongs to "
                "another model; take the tokenizer of these weights"
            )


def _read(folder: Path) -> Tokenizer:
    path = folder / TOKENIZER_FILE if folder.is_dir() else folder
    try:
        if path.is_file():
            return Tokenizer.from_file(str(path))
        if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
            # Qwen2's own files: transformers knows the splitting rules that they leave out.
            from transformers import Qwen2Tokenizer

            backend: Tokenizer = Qwen2Tokenizer.from_pretrained(str(folder)).backend_tokenizer
            return backend
    except Exception as error:  # tokenizers raises bare Exception
        raise InvalidInputError(f"the tokenizer in {folder} is damaged ({error}); copy it again") from error
    raise InvalidInputError(f"no tokenizer in {folder}: expected {TOKENIZER_FILE}, or vocab.json with merges.txt")
