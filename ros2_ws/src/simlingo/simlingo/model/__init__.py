"""The model: configuration, picture, prompt, network and its ways of running."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simlingo.model.mini import MiniPolicy


def load_policy(
    name_or_path: str = "simlingo-mini", threads: int = 2, route_as: str = "target_point"
) -> MiniPolicy:
    """The policy of a shipped model's name or of a model folder; ``route_as``: a value of ``RouteAs``.

    Raises:
        InvalidInputError: no such model, or its files are missing, damaged or do not belong together.
    """
    from simlingo.model.folder import find_model
    from simlingo.model.mini import MiniPolicy
    from simlingo.model.prompt import RouteAs

    return MiniPolicy(find_model(name_or_path), threads=threads, route_as=RouteAs(route_as))
