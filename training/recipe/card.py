"""The model card: what the model is, how each stage made it, and what the evaluations found, all from the stages' records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import safe_open

from simlingo.contracts import (
    MODEL_CAMERA,
    MODEL_CAMERA_POSITION_IN_EGO,
    PATH_POINTS,
    SPEED_WAYPOINT_PERIOD_S,
    SPEED_WAYPOINTS,
)
from simlingo.model.checkpoints.provenance import Kind, provenance_of
from simlingo.model.config import ModelConfig
from simlingo.model.folder import CONFIG_FILE, WEIGHTS_FILE
from simlingo_sim.towns import HELD_OUT_TOWN
from training.recipe.card_plots import plot_losses, plot_times
from training.recipe.card_tables import details, evaluation_tables, stage_table, table
from training.recipe.model_files import model_files
from training.recipe.stage import CARD_FILE, README_FILE
from training.trainer.files import write_whole

LOSSES_PLOT, TIMES_PLOT = "losses.png", "times.png"
STATEMENT = (
    "All figures are those of the embedded world: towns, traffic, pictures and words of our own. They are no Bench2Drive, CARLA "
    "leaderboard or Action Dreaming results of the published benchmarks and cannot be compared with them. Intervals are of 95 %."
)
Records = Sequence[dict[str, Any]]


def write_card(folder: Path, model: Path, records: Records, evaluations: Sequence[str], limits: str) -> None:
    """Write ``MODEL_CARD.md`` and its plots into ``folder``, and ``README.md`` into the ``model`` folder.

    Args:
        folder: of the report.
        model: the model folder that is shipped.
        records: of all stages that it came from, oldest first, see :class:`training.recipe.record.StageRecord`.
        evaluations: fingerprints of those that judged it.
        limits: what is known to be wrong with it, in words; empty: nothing is said.
    """
    judged = [record for record in records if record["fingerprint"] in evaluations]
    text = _about(model, records, judged, limits)
    _write(model / README_FILE, text)
    plot_times(records, folder / TIMES_PLOT)
    pictures = f"\n![wall time by stage]({TIMES_PLOT})\n"
    if any(record["kind"] == "train" for record in records):
        plot_losses(records, folder / LOSSES_PLOT)
        pictures = f"\n![losses over samples]({LOSSES_PLOT})\n{pictures}"
    _write(folder / CARD_FILE, text + pictures + "\n## Every stage\n\n" + details(records))


def _write(path: Path, text: str) -> None:
    write_whole(path, lambda to: to.write_text(text, encoding="utf-8"))


def _about(model: Path, records: Records, judged: Records, limits: str) -> str:
    config = ModelConfig.load(model / CONFIG_FILE)
    parts = [
        f"# Model card: {config.name}",
        f"SimLingo's architecture (arXiv 2503.09594) at {_weights(model) / 1e6:.1f} million weights, trained in the embedded simulator.",
        table(("", ""), [*_what(config), *_how(records), ("files", _files(model))]),
        "## How it was made",
        stage_table(records),
        "## Evaluations",
        STATEMENT,
        evaluation_tables(judged) if judged else "None was made.",
    ]
    if limits:
        parts += ["## Known limits", limits]
    licence = provenance_of(Kind.OURS, str(model), model).licence
    parts.append(f"Licence {licence}. It knows nothing outside the embedded towns: not CARLA, not a road.")
    return "\n\n".join(parts) + "\n"


def _what(config: ModelConfig) -> list[tuple[str, str]]:
    """What goes in, what comes out, how large it is."""
    camera = MODEL_CAMERA
    words = {"a commentary of one or two short sentences": config.speaks, "answers to questions": config.answers}
    says = [name for name, trained in words.items() if trained]
    told = ", and instructions in words, which it follows or refuses" if config.instructions else ""
    return [
        (
            "sees",
            f"one camera {camera.width}x{camera.height}, 110 degrees, at {MODEL_CAMERA_POSITION_IN_EGO} m; its speed; two target "
            f"points or a command in words{told}",
        ),
        (
            "gives",
            f"{PATH_POINTS} path points a metre apart, {SPEED_WAYPOINTS} speed waypoints {SPEED_WAYPOINT_PERIOD_S:g} s apart"
            + "".join(f"; {name}" for name in says),
        ),
        (
            "sizes",
            f"`{CONFIG_FILE}`; vision {config.vision.layers} x {config.vision.hidden_size} on patches of {config.vision.patch} px, "
            f"language {config.language.layers} x {config.language.hidden_size}, two tiles of {config.image.tile} px, "
            f"{config.image_tokens} visual tokens",
        ),
    ]


def _how(records: Records) -> list[tuple[str, str]]:
    """Data, training and losses, in a line each; nothing of what there is none."""
    trained = [record for record in records if record["kind"] == "train"]
    if not trained:
        return []
    learned = {record["inputs"][name] for record in trained for name in record["settings"]["data"]}
    data = [record["figures"] for record in records if record["fingerprint"] in learned]
    frames = sum(one["frames"] for one in data)
    on_policy = sum(one["frames"] for one in data if one.get("on_policy"))
    towns = sorted({town for one in data for town in one.get("towns", ())})
    away = f", never in `{HELD_OUT_TOWN}`" if towns and HELD_OUT_TOWN not in towns else ""
    driven = (
        f", {on_policy:,} of them of on-policy rounds (an earlier model drove, the expert labelled)"
        if on_policy
        else ""
    )
    samples = sum(record["figures"]["samples"] for record in trained)
    minutes = sum(start["seconds"] for record in trained for start in record["starts"]) / 60.0
    rows = [
        (
            "data",
            f"{frames:,} frames at 4 Hz, each with a second view{driven}"
            f"{'; in ' + ', '.join(f'`{town}`' for town in towns) if towns else ''}{away}",
        ),
        (
            "training",
            f"{samples:,} samples in {minutes:.0f} minutes; stages: {', '.join(record['stage'] for record in trained)}",
        ),
    ]
    validation = trained[-1]["figures"]["curves"]["validation"]
    if validation:
        losses = [
            f"{name.removeprefix('val_')} {value:.3g}" for name, value in validation[-1].items() if name != "samples"
        ]
        count = trained[-1]["figures"]["validation_frames"]
        rows.append(
            ("losses", f"{', '.join(losses)} on up to {count} frames that `{trained[-1]['stage']}` was not trained on")
        )
    return rows


def _weights(model: Path) -> int:
    """Numbers in the weight file."""
    count = 0
    with safe_open(str(model / WEIGHTS_FILE), "numpy") as file:
        for name in file.keys():  # noqa: SIM118  (no mapping)
            size = 1
            for length in file.get_slice(name).get_shape():
                size *= length
            count += size
    return count


def _files(model: Path) -> str:
    files = model_files(model)
    size = sum((model / name).stat().st_size for name in files)
    return f"{', '.join(f'`{name.as_posix()}`' for name in files)}: together {size / 1e6:.1f} MB"
