"""Checkpoints by hub id: one pinned commit, only after its licence was accepted, and never a program."""

from __future__ import annotations

import re
from pathlib import Path

from simlingo.contracts import InvalidInputError

#: What is fetched. No Python files: nothing that a hub stores is executed.
PATTERNS = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "*/config.json", "*pytorch_model.pt", "*.hydra/config.yaml",
    "tokenizer.json", "*/tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "added_tokens.json",
    "special_tokens_map.json", "source/*", "SHA256SUMS",
)  # fmt: skip
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


def looks_like_hub_id(path: str) -> bool:
    """Whether a word that is no path here could be a hub id: ``owner/name``."""
    return _HUB_ID.fullmatch(path) is not None and not Path(path).exists()


def fetch(hub_id: str, revision: str, accept_licence: bool) -> Path:
    """The local folder of one commit of a hub repository.

    Raises:
        InvalidInputError: the licence is not accepted, the revision is no commit, the hub is out of reach or refuses.
    """
    if not accept_licence:
        raise InvalidInputError(
            f"there is no {hub_id} here, so it is taken for a hub id, whose weights have a licence of their own "
            f"(SimLingo's forbids commercial use and real vehicles): read it at https://huggingface.co/{hub_id}, then add --accept-licence"
        )
    if not _COMMIT.fullmatch(revision):
        raise InvalidInputError(
            f"{hub_id} must be pinned, since a branch can change: --revision COMMIT (40 hexadecimal digits, "
            f"listed at https://huggingface.co/{hub_id}/commits/main)"
        )
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise InvalidInputError(
            "reading from the hub needs huggingface_hub: ./simlingo setup train, or name a local folder"
        ) from error
    try:
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=list(PATTERNS)))
    except Exception as error:  # the hub's and the network libraries' errors share no base class
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InvalidInputError(
            f"{hub_id} at {revision} could not be fetched ({reason}); check network, id and commit, "
            "or download it elsewhere and name the folder"
        ) from error
