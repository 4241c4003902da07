"""The frames of a run: routes split by name, with the pictures that its network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.processor import picture_key, picture_of
from training.datasets.cache import Pack, build_cache
from training.datasets.reader import Route, fingerprint, open_dataset
from training.datasets.splits import split
from training.language.samples.store import build_samples
from training.language.samples.tables import Samples
from training.trainer.batches import Frames
from training.trainer.config import DataConfig, MixtureConfig


@dataclass(frozen=True)
class TrainData:
    """What a run learns from and what validates it; the fingerprints stand for all that their routes hold."""

    train: Frames
    validation: Frames
    train_fingerprint: str
    validation_fingerprint: str
    folders: tuple[Path, ...] = ()
    train_samples: Samples | None = None  # dreams and questions, where the mixture has any
    validation_samples: Samples | None = None
    cache: Path | None = None  # where what is made of the data is kept


def open_data(
    folders: Sequence[Path],
    validation: Sequence[Path],
    cache: Path,
    model: ModelConfig,
    config: DataConfig,
    mixture: MixtureConfig | None = None,
) -> TrainData:
    """The routes in ``folders``, with pictures and samples of them in ``cache``, made where they are not there yet.

    Args:
        folders: data sets.
        validation: data sets that validate; without any, whole routes of ``folders`` do.
        cache: where the pictures lie.
        model: whose pictures.
        config: share and seed of the split.
        mixture: tells whether dreams and questions are needed.

    Raises:
        InvalidInputError: no data set there, a damaged one, only one route, or routes that would train and validate.
    """
    routes = open_dataset(folders).routes
    if validation:
        train, validating = list(routes), list(open_dataset(validation).routes)
        _check_apart(train, validating)
    else:
        train, validating = split(routes, config.validation_share, config.split_seed)
    samples: tuple[Samples | None, Samples | None] = (None, None)
    if mixture is not None and mixture.needs_samples:
        samples = (
            build_samples(train, cache / "train-samples", mixture.seed),
            build_samples(validating, cache / "validation-samples", mixture.seed),
        )
    return TrainData(
        _pack(train, cache / "train", model),
        _pack(validating, cache / "validation", model),
        fingerprint(train),
        fingerprint(validating),
        (*folders, *validation),
        *samples,
        cache,
    )


def _check_apart(train: Sequence[Route], validation: Sequence[Route]) -> None:
    both = sorted({route.name for route in train} & {route.name for route in validation})
    if both:
        raise InvalidInputError(
            f"{len(both)} routes would both train and validate, {both[0]} among them; collect the validation data with another --seed"
        )


def _pack(routes: Sequence[Route], folder: Path, model: ModelConfig) -> Pack:
    picture = partial(picture_of, image=model.image)
    return build_cache(routes, folder, picture_key(model.image), picture, model.image)
