"""From a recipe's YAML to its stages, sized by one of its profiles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.recipe.keys import key, number, read_keys, text
from training.recipe.kinds import KINDS
from training.recipe.stage import Rates, Settings

#: Where the recipes that come with the repository lie.
RECIPES = Path(__file__).resolve().parent / "recipes"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_TOP = ("about", "profiles", "stages")


@dataclass(frozen=True, kw_only=True)
class Profile(Rates):
    """A machine, how fast it is taken to be, and how long stages may take there."""

    about: str = key(text, "")
    stage_minutes: float = key(number(above=True))  # of one stage, at most
    total_minutes: float = key(number(above=True))  # of all stages together, at most


@dataclass(frozen=True)
class Stage:
    """One stage of a recipe."""

    name: str
    kind: str
    settings: Settings


@dataclass(frozen=True)
class Recipe:
    """All stages in order, sized by a profile."""

    name: str
    about: str
    profile_name: str
    profile: Profile
    stages: tuple[Stage, ...]

    def stage(self, name: str) -> Stage:
        """The stage of that name.

        Raises:
            InvalidInputError: there is none.
        """
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise InvalidInputError(
                f"the recipe {self.name} has no stage {name!r}{nearest(name, names)}: {', '.join(names)}"
            )
        return self.stages[names.index(name)]

    def expected_s(self) -> dict[str, float]:
        """Expected seconds by stage."""
        frames = {stage.name: stage.settings.frames_made() for stage in self.stages}
        return {stage.name: stage.settings.expected_s(self.profile, frames) for stage in self.stages}


def read_recipe(name_or_file: str, profile: str | None = None) -> Recipe:
    """The recipe of a name in ``training/recipe/recipes`` or of a YAML file; without a profile its first one.

    Raises:
        InvalidInputError: no such recipe or profile, a key, kind or value that cannot be, a stage that needs one which is
            not before it or hands on something else, or stages that take longer than the profile lets them.
    """
    file = _find(name_or_file)
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInputError(f"the recipe {file} cannot be read: {error}") from error
    if not isinstance(values, dict) or not values.get("profiles") or not values.get("stages"):
        raise InvalidInputError(f"the recipe {file} needs profiles and stages; see {RECIPES / 'mini.yaml'}")
    for name in values:
        if name not in _TOP:
            raise InvalidInputError(
                f"{file}: there is no key {name}{nearest(str(name), _TOP)} (keys here: {', '.join(_TOP)})"
            )
    profiles = values["profiles"]
    chosen = next(iter(profiles)) if profile is None else profile
    if chosen not in profiles:
        raise InvalidInputError(f"{file} has no profile {chosen!r}{nearest(chosen, profiles)}: {', '.join(profiles)}")
    sized = [
        _sized(stage, tuple(profiles), chosen, f"{file}, stage {number}")
        for number, stage in enumerate(values["stages"], 1)
    ]
    stages = tuple(_stage(stage, f"{file}, stage {number}") for number, stage in enumerate(sized, 1))
    recipe = Recipe(
        file.stem,
        str(values.get("about", "")).strip(),
        chosen,
        read_keys(Profile, profiles[chosen], f"{file}, profile {chosen}"),
        stages,
    )
    _check_inputs(recipe)
    _check_times(recipe)
    return recipe


def _find(name_or_file: str) -> Path:
    for file in (RECIPES / f"{name_or_file}.yaml", Path(name_or_file)):
        if file.is_file():
            return file
    names = sorted(file.stem for file in RECIPES.glob("*.yaml"))
    raise InvalidInputError(
        f"no recipe {name_or_file!r}: it is neither a YAML file nor one of {', '.join(names)}{nearest(name_or_file, names)}"
    )


def _sized(value: Any, profiles: tuple[str, ...], chosen: str, where: str) -> Any:
    """``value`` with each mapping of profiles to values replaced by that of the ``chosen`` one."""
    if not isinstance(value, Mapping):
        return value
    named = [name for name in value if name in profiles]
    if not named:
        return {name: _sized(each, profiles, chosen, where) for name, each in value.items()}
    if set(value) != set(profiles):
        raise InvalidInputError(
            f"{where}: a value by profile names all of them and nothing else ({', '.join(profiles)}), not {', '.join(map(str, value))}"
        )
    return value[chosen]


def _stage(values: Any, where: str) -> Stage:
    if not isinstance(values, dict):
        raise InvalidInputError(f"{where} is no mapping of keys; see {RECIPES / 'mini.yaml'}")
    name, kind = values.get("name"), values.get("kind")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{where}: name must be of small letters, digits, - and _, not {name!r}; it names a folder"
        )
    if kind not in KINDS:
        raise InvalidInputError(f"{where} ({name}): no kind {kind!r}{nearest(str(kind), KINDS)}: {', '.join(KINDS)}")
    rest = {key: value for key, value in values.items() if key not in ("name", "kind")}
    return Stage(name, kind, read_keys(KINDS[kind], rest, f"{where} ({name})"))


def _check_inputs(recipe: Recipe) -> None:
    earlier: dict[str, Stage] = {}
    for stage in recipe.stages:
        if stage.name in earlier:
            raise InvalidInputError(f"the recipe {recipe.name} has two stages {stage.name}; give one another name")
        for name, product in stage.settings.inputs().items():
            if name not in earlier:
                raise InvalidInputError(
                    f"stage {stage.name} needs {name!r}, which is no stage before it{nearest(name, earlier)}: "
                    f"{', '.join(earlier) or 'it is the first'}"
                )
            given = earlier[name].settings.hands_on
            if given is not product:
                raise InvalidInputError(
                    f"stage {stage.name} needs {product.value}, but {name} hands on {given.value}; name another stage"
                )
        earlier[stage.name] = stage


def _check_times(recipe: Recipe) -> None:
    expected, profile = recipe.expected_s(), recipe.profile
    for name, seconds in expected.items():
        if seconds > 60.0 * profile.stage_minutes:
            raise InvalidInputError(
                f"stage {name} is expected to take {seconds / 60.0:.0f} minutes, the profile {recipe.profile_name} allows "
                f"{profile.stage_minutes:g}; make it smaller, or part it into two stages"
            )
    total = sum(expected.values())
    if total > 60.0 * profile.total_minutes:
        raise InvalidInputError(
            f"all stages are expected to take {total / 60.0:.0f} minutes, the profile {recipe.profile_name} allows "
            f"{profile.total_minutes:g}; make some smaller"
        )
