"""A model folder: config.json, tokenizer.json, model.safetensors (fp16) and the exported graphs with their weights."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path

from simlingo.contracts import InvalidInputError

CONFIG_FILE = "config.json"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"  # in place of one weight file: which shard holds which tensor
#: The exported graphs: picture to embeddings; prompt, answer and queries in one pass; text on a cache; queries on a cache.
GRAPHS = {name: f"{name}.onnx" for name in ("vision", "plan", "text", "queries")}
GRAPH_WEIGHTS_FILE = "graphs.bin"  # the weights of all of them

#: Where the models shipped with this package lie.
SHIPPED = Path(__file__).resolve().parent.parent / "weights"


def find_model(name_or_path: str) -> Path:
    """The folder of a shipped model's name or of a path.

    Raises:
        InvalidInputError: neither; names the shipped models and the nearest of them.
    """
    for folder in (SHIPPED / name_or_path, Path(name_or_path)):
        if (folder / CONFIG_FILE).is_file():
            return folder
    names = sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG_FILE}"))
    nearest = difflib.get_close_matches(name_or_path, names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    raise InvalidInputError(
        f"no model {name_or_path!r}: it is neither a folder with {CONFIG_FILE} nor one of {names or 'none shipped'}{hint}"
    )


def fingerprint(folder: Path) -> str:
    """Digest of configuration and tokenizer; the graph carries it, so that files of two models do not mix."""
    return digest(folder / CONFIG_FILE, folder / TOKENIZER_FILE)


def digest(*paths: Path) -> str:
    """SHA-256 of model files one after another.

    Raises:
        InvalidInputError: one is missing; names it.
    """
    found = hashlib.sha256()
    for path in paths:
        if not path.is_file():
            raise InvalidInputError(f"model file {path} is missing; copy the whole model folder again")
        found.update(path.read_bytes())
    return found.hexdigest()
