"""The kinds of stages by the names that a recipe gives them."""

from __future__ import annotations

from training.recipe.stage import Settings
from training.recipe.stage_collect import Collect
from training.recipe.stage_export import Export
from training.recipe.stage_figures import BenchDrive, BenchLanguage, CheckDreams
from training.recipe.stage_given import Given
from training.recipe.stage_report import Report
from training.recipe.stage_train import Train

KINDS: dict[str, type[Settings]] = {
    "given": Given,
    "collect": Collect,
    "check-dreams": CheckDreams,
    "train": Train,
    "export": Export,
    "bench-drive": BenchDrive,
    "bench-language": BenchLanguage,
    "report": Report,
}
