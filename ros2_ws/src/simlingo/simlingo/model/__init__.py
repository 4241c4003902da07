"""The model: configuration, picture, prompt, network and its ways of running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlingo.model.driver import ModelPolicy, TextOptions


def load_policy(
    name_or_path: str = "simlingo-mini",
    threads: int = 2,
    route_as: str = "target_point",
    text: TextOptions | None = None,
) -> ModelPolicy:
    """The policy of a shipped model's name or of a model folder.

    Args:
        name_or_path: as :func:`simlingo.model.folder.find_model` takes it.
        threads: CPU threads of the network.
        route_as: a value of ``RouteAs``.
        text: when the model speaks; None: never.

    Raises:
        InvalidInputError: no such model, or its files are missing, damaged or do not belong together.
    """
    from simlingo.model.driver import ModelPolicy
    from simlingo.model.engine.onnx_backend import OnnxBackend
    from simlingo.model.folder import TOKENIZER_FILE, find_model
    from simlingo.model.prompt import RouteAs
    from simlingo.model.tokenizer import PromptTokenizer

    folder = find_model(name_or_path)
    tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
    return ModelPolicy(OnnxBackend(folder, threads), tokenizer, RouteAs(route_as), text)
