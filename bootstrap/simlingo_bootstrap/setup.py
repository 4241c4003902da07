"""Makes the environment step by step, and skips what is done."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from simlingo_bootstrap.checks import DISK_GIB, Finding, preflight, version
from simlingo_bootstrap.environment import child_environment
from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.installer import find_uv, has_nvidia_gpu, install_attempts, torch_attempts, with_pip_settings
from simlingo_bootstrap.interfaces import build_command, interface_files, interface_packages
from simlingo_bootstrap.layout import SOURCE_TREES, Layout
from simlingo_bootstrap.ros import RosInstallation, check_python_of_ros
from simlingo_bootstrap.runner import Job, Progress
from simlingo_bootstrap.state import State, hash_files, only_one

#: Requirement files of each step.
_FILES = {
    "installer": ["bootstrap.txt"],
    "ros": ["ros-jazzy.txt"],
    "drive": ["drive.txt"],
    "torch": ["torch.txt"],
    "train": ["train.txt"],
    "data": ["data.txt"],
    "plots": ["plots.txt"],
    "words": ["words.txt"],
    "dev": ["dev.txt"],
}
#: Steps in words, for the progress lines.
_TITLES = {
    "venv": "Python environment",
    "sources": "source trees",
    "installer": "installer",
    "ros": "ROS 2 Jazzy",
    "interfaces": "message packages",
    "drive": "packages to drive",
    "torch": "torch",
    "train": "packages to train",
    "data": "packages of data sets",
    "plots": "packages to draw",
    "words": "packages to judge words",
    "dev": "packages to test",
}
#: Steps of each group that a command can ask for; "drive" is always there.
GROUPS = {
    "drive": ["drive"],
    "data": ["data"],
    "plots": ["plots"],
    "words": ["words"],
    "train": ["torch", "train", "data", "plots"],
    "dev": ["words", "dev"],
}
_OFFLINE = "see the lines above; where the network failed, start the same command again: it goes on from here"


class Setup:
    """One environment and the steps that make it."""

    def __init__(self, layout: Layout, ros: RosInstallation | None, environ: Mapping[str, str]) -> None:
        self._layout = layout
        self._ros = ros
        self._env = child_environment(layout, ros, environ)
        self._state = State(layout)
        # Asked now: the running interpreter may be the link in the environment that is about to be replaced.
        self._base_python = os.path.realpath(sys.executable)

    def missing(self, groups: Sequence[str]) -> list[str]:
        """Names of the steps that are not done, in order."""
        wanted = ["venv", "installer", *(["ros"] if self._ros is None else []), "interfaces", "sources"]
        wanted += [step for group in dict.fromkeys(("drive", *groups)) for step in GROUPS[group]]
        broken = not self._layout.python.exists()
        return [step for step in wanted if broken or not self._state.is_done(step, self._made_from(step))]

    def ensure(self, groups: Sequence[str]) -> None:
        """Do the steps that are missing, one set-up at a time.

        Raises:
            SetupError: the machine lacks something, or a step failed.
        """
        if not self.missing(groups):
            return
        self._refuse_foreign_folder()
        for ending in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, signal.default_int_handler)
        with only_one(self._layout, _say_waiting) as lock:
            self._state = State(self._layout)
            missing = self.missing(groups)
            if missing:
                self._check_machine(groups, missing)
                self._run(missing, lock)

    def _run(self, missing: Sequence[str], lock: int) -> None:
        stages = self._stages(missing)
        progress = Progress(len(stages), lock)
        what = "making the environment" if "venv" in missing else "completing the environment"
        progress.say(f"{what} {self._layout.env} ({', '.join(missing)})")
        if any(self._state.was_interrupted(step) for step in missing):
            progress.say("an earlier set-up was interrupted; going on from there")
        for title, steps in stages:
            # A step counts as done when its own program has ended well, whatever becomes of the one beside it.
            jobs = [job for step in steps if (job := self._prepare(step))]
            progress.run(title, jobs, lambda job: self._state.finish(job.name, self._made_from(job.name)))
            if "sources" in steps:
                self._write_source_paths()
                self._state.finish("sources", self._made_from("sources"))
            if "installer" in steps and find_uv(self._layout) is None:
                progress.say("uv is not to be had here; pip does the work, which takes a few minutes more")
        progress.say(f"environment ready after {progress.elapsed_s:.0f} s")

    def _stages(self, missing: Sequence[str]) -> list[tuple[str, list[str]]]:
        """Titles and steps in order; steps of one stage run at the same time."""
        # The messages are built beside the installation, but not where that would move things under the build: after an
        # interruption numpy is written anew, and a sourced ROS may lack colcon, which the step "drive" brings then.
        apart = self._ros is not None or self._state.was_interrupted("drive")
        building = [["drive"], ["interfaces"]] if apart else [["interfaces", "drive"]]
        order = [
            ["venv", "sources"],
            ["installer"],
            ["ros"],
            *building,
            ["torch"],
            ["train"],
            ["data"],
            ["plots"],
            ["words"],
            ["dev"],
        ]
        stages = [[step for step in steps if step in missing] for steps in order]
        return [(", ".join(_TITLES[step] for step in steps), steps) for steps in stages if steps]

    def _prepare(self, step: str) -> Job | None:
        """The job of a step; None where there is no program to run."""
        again = self._state.was_interrupted(step)
        if step == "venv":
            return self._make_venv()
        self._state.begin(step)
        if step == "sources":
            return None  # a file, written when the stage's programs have ended
        if step == "interfaces":
            return self._build_interfaces(again)
        attempts = (
            torch_attempts(self._layout, again=again, gpu=has_nvidia_gpu())
            if step == "torch"
            else install_attempts(self._layout, _FILES[step], again=again)
        )
        if step == "installer":
            # uv is a gain, not a need: without it pip does the work.
            attempts = [attempts[-1], ["true"]]
        elif step == "drive" and self._ros is not None and shutil.which("colcon") is None:
            attempts = [[*attempt, "colcon-common-extensions"] for attempt in attempts]
        env = with_pip_settings(self._layout, self._env)
        return Job(step, attempts, env, self._log(step), _OFFLINE)

    def _make_venv(self) -> Job:
        layout = self._layout
        # Whatever an interrupted set-up or another Python left is not built upon.
        for entry in layout.env.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                if entry != layout.own:
                    shutil.rmtree(entry)
            else:
                entry.unlink()
        shutil.rmtree(layout.own / "build", ignore_errors=True)
        self._state.forget_all()
        self._state.begin("venv")
        python = self._base_python
        command = [python, "-m", "venv", str(layout.env)]
        seeded = [shutil.which("uv") or "uv", "venv", "--seed", "--allow-existing", "--python", python, str(layout.env)]
        extra = ["--system-site-packages"] if self._ros else []
        attempts = [[*command, *extra], *([[*seeded, *extra]] if shutil.which("uv") else [])]
        env = {name: value for name, value in self._env.items() if name != "VIRTUAL_ENV"}
        return Job("venv", attempts, env, self._log("venv"), f"sudo apt-get install python{version()}-venv")

    def _build_interfaces(self, again: bool) -> Job:
        if again:
            shutil.rmtree(self._layout.own / "build", ignore_errors=True)
        command = build_command(self._layout, interface_packages(self._layout, self._ros), self._ros)
        cure = "see the log; then start the same command again, which builds from the beginning"
        return Job("interfaces", [command], self._env, self._log("interfaces"), cure, cwd=self._layout.own)

    def _write_source_paths(self) -> None:
        """Put the repository's source trees on the environment's module path."""
        lines = [str((self._layout.root / tree).resolve()) for tree in SOURCE_TREES]
        file = self._layout.site_packages / "simlingo_source_trees.pth"
        temporary = file.with_suffix(".tmp")
        temporary.write_text("\n".join(lines) + "\n")
        temporary.replace(file)

    def _made_from(self, step: str) -> str:
        """Hash of all that a step's result depends on."""
        layout = self._layout
        base = (str(layout.env), version(), self._base_python, self._ros.distro if self._ros else "wheels")
        if step == "venv":
            return hash_files([], *base)
        if step == "sources":
            return hash_files([], str(layout.root), *SOURCE_TREES)
        if step == "interfaces":
            recipe = layout.root / "bootstrap/cmake/bare_machine.cmake"
            packages = interface_packages(layout, self._ros)
            return hash_files([*interface_files(packages), recipe, layout.requirements / "ros-jazzy.txt"], *base)
        names = _FILES[step] if step == "installer" else [*_FILES[step], "constraints.txt"]
        return hash_files([layout.requirements / name for name in names])

    def _check_machine(self, groups: Sequence[str], missing: Sequence[str]) -> None:
        if self._ros is not None:
            check_python_of_ros(self._ros, sys.version_info[:2])
        sizes = {"drive": "drive", "torch": "train", "dev": "dev"}
        findings = preflight(self._layout.env, sum(DISK_GIB[size] for step, size in sizes.items() if step in missing))
        if "interfaces" not in missing and "venv" not in missing:
            findings = [finding for finding in findings if finding.name not in ("compiler", "headers", "venv")]
        report_missing(findings)

    def _refuse_foreign_folder(self) -> None:
        """Never clear a folder that this set-up did not make."""
        env = self._layout.env
        if env.is_dir() and not self._layout.own.is_dir() and any(env.iterdir()):
            raise SetupError(
                f"{env} is there, is not empty and was not made by ./simlingo.",
                "move it away, or choose another place: SIMLINGO_ENV=/path/to/env ./simlingo ...",
            )

    def _log(self, step: str) -> Path:
        return self._layout.own / "log" / f"{step}.log"


def _say_waiting(process: str) -> None:
    Progress(0).say(f"another set-up (process {process}), or what it left running, is at work; waiting for it")


def report_missing(findings: Sequence[Finding]) -> None:
    """Raise one error that names everything that is needed and missing.

    Raises:
        SetupError: at least one needed finding is not ok.
    """
    bad = [finding for finding in findings if finding.needed and not finding.ok]
    if bad:
        causes = "; ".join(f"{finding.name}: {finding.detail}" for finding in bad)
        raise SetupError(f"This machine lacks something. {causes}.", "; ".join(finding.cure for finding in bad))
