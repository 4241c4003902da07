"""Which command is which module. A module has ``add_arguments(parser)`` and ``run(args) -> int``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command of ``./simlingo``: its module, one line about it, and examples where the module gives none itself."""

    module: str
    summary: str
    examples: tuple[str, ...] = ()


#: Commands by the words that call them, in the order of the help.
COMMANDS: dict[tuple[str, ...], Command] = {
    ("drive",): Command(
        "simlingo_node.drive",
        "drive a town of the embedded world through real ROS 2, with a live page",
        (
            "drive",
            "drive --town harbortown --weather dusk --seed 3",
            'drive --instruction "12.0:turn left at the next junction"',
            "drive --headless --seconds 60",
        ),
    ),
    ("say",): Command(
        "simlingo_node.say",
        "tell a running stack what to do, and see what becomes of it",
        ('say "turn left at the next junction"', 'say "slow down and take the next right"', "say --clear"),
    ),
    ("ask",): Command(
        "simlingo_node.ask",
        "ask a running stack about what it sees",
        ('ask "is there a car ahead?"', 'ask --within 5 "what does the traffic light show?"'),
    ),
    ("bench", "drive"): Command(
        "training.evaluation.bench_drive",
        "drive many routes and report driving scores",
    ),
    ("bench", "robust"): Command(
        "training.evaluation.bench_robust",
        "drive the same routes with worse senses and later hands, and report what it costs",
    ),
    ("bench", "render"): Command(
        "simlingo_sim.render.bench",
        "measure the renderer's frames per CPU-second",
        ("bench render", "bench render --frames 40 --size 448x224"),
    ),
    ("bench", "planner"): Command("training.benchmarks.bench_planner", "measure the time from frame to plan"),
    ("bench", "model"): Command(
        "training.benchmarks.bench_model", "measure the phases of a frame, against the published way of running"
    ),
    ("bench", "runtimes"): Command(
        "training.benchmarks.bench_runtimes", "compare ONNX Runtime, torch and OpenVINO on the small model"
    ),
    ("bench", "language"): Command(
        "training.evaluation.language.command", "judge how a model obeys, refuses, answers and comments"
    ),
    ("bench", "faults"): Command(
        "simlingo_node.faults.command",
        "let faults happen to a driving stack, and measure what comes of each",
        ("bench faults --only picture-frozen odometry-speed-0",),
    ),
    ("bench", "dataset"): Command(
        "training.benchmarks.bench_dataset",
        "measure a data set: bytes, reads, cache, and what its JPEGs change in plans",
    ),
    ("collect",): Command("training.collect.cli", "let the expert drive and write training data"),
    ("train",): Command("training.trainer.cli", "train the small model"),
    ("recipe", "run"): Command("training.recipe.command_run", "make weights, from collection to model card"),
    ("recipe", "show"): Command("training.recipe.command_show", "show a recipe's stages, sizes and expected times"),
    ("recipe", "status"): Command("training.recipe.command_status", "show which stages of a recipe's run are whole"),
    ("checkpoint", "inspect"): Command(
        "simlingo.model.checkpoints.command_inspect", "show a checkpoint's layout, sizes and tensors"
    ),
    ("checkpoint", "verify"): Command(
        "simlingo.model.checkpoints.command_verify", "compare the network with a stored case"
    ),
    ("checkpoint", "import"): Command(
        "simlingo.model.checkpoints.command_import", "read any checkpoint into a model folder"
    ),
    ("checkpoint", "export"): Command("simlingo.model.checkpoints.command_export", "write the published layout back"),
    ("test",): Command(
        "simlingo_cli.test",
        "run linters, type checks and tests",
        (
            "test",
            "test --fast",
            "test --slow",
            "test tests/unit -k controller",
            "test --only lint",
            "test --mutants training/datasets",
        ),
    ),
}

#: Commands that bootstrap/ carries out before any environment is there; the module is theirs.
BOOTSTRAP = {
    ("setup",): Command(
        "simlingo_bootstrap",
        "make the environment now: setup [drive] [data] [plots] [words] [train] [dev]",
        ("setup", "setup train dev", "SIMLINGO_ENV=/path/on/another/disk ./simlingo setup"),
    ),
    ("doctor",): Command(
        "simlingo_bootstrap", "list what this machine has and lacks, with the command that helps", ("doctor",)
    ),
}
