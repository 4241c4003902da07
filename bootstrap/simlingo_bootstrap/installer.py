"""Commands that install requirement files: uv where it is to be had, pip where not."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from simlingo_bootstrap.layout import Layout

#: pip's settings and uv's names for them. uv does not read pip's configuration, and a company's mirror stands there.
_UV_NAMES = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


def install_attempts(layout: Layout, requirements: Sequence[str], *, again: bool) -> list[list[str]]:
    """Commands that install the requirement files (names in requirements/), best first.

    Args:
        layout: the environment.
        requirements: file names without folder.
        again: overwrite what is there, because an earlier run was interrupted inside a package.
    """
    files = [word for name in requirements for word in ("-r", str(layout.requirements / name))]
    files += ["-c", str(layout.requirements / "constraints.txt")]
    pip = [str(layout.python), "-m", "pip", "install", "--progress-bar", "off", "--no-input"]
    pip += ["--force-reinstall"] if again else []
    attempts = [pip + files]
    if uv := find_uv(layout):
        command = [uv, "pip", "install", "--python", str(layout.python), "--compile-bytecode"]
        # As pip chooses: the best version of all indexes.
        command += ["--index-strategy", "unsafe-best-match", *(["--reinstall"] if again else [])]
        attempts.insert(0, command + files)
    return attempts


def torch_attempts(layout: Layout, *, again: bool, gpu: bool) -> list[list[str]]:
    """Commands that install torch; on a machine without an NVIDIA GPU its much smaller CPU build, where it can be had."""
    attempts = install_attempts(layout, ["torch.txt"], again=again)
    uv = find_uv(layout)
    if uv and not gpu:
        local = [*attempts[0], f"{_torch_pin(layout)}+cpu"]
        attempts[:0] = [local, [*attempts[0], "--torch-backend", "cpu"]]
    return attempts


def _torch_pin(layout: Layout) -> str:
    lines = (layout.requirements / "torch.txt").read_text().splitlines()
    return next(line.split("#")[0].strip() for line in lines if line.startswith("torch=="))


def find_uv(layout: Layout) -> str | None:
    """The environment's uv, or the machine's."""
    own = layout.env / "bin" / "uv"
    return str(own) if own.is_file() else shutil.which("uv")


def with_pip_settings(layout: Layout, env: Mapping[str, str]) -> dict[str, str]:
    """The variables plus pip's indexes and certificates under uv's names; what the user set for uv stays."""
    result = dict(env)
    try:
        listing = subprocess.run(
            [str(layout.python), "-m", "pip", "config", "list"], env=result, capture_output=True, text=True, timeout=60
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return result
    for name, value in read_pip_settings(listing).items():
        result.setdefault(_UV_NAMES[name], value)
    return result


def read_pip_settings(listing: str) -> dict[str, str]:
    """Settings for all commands or for install out of ``pip config list``; the more special one wins."""
    rank = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        key, _, text = line.partition("=")
        section, _, name = key.partition(".")
        if section not in rank or name not in _UV_NAMES:
            continue
        try:
            words = str(ast.literal_eval(text)).split()
        except (ValueError, SyntaxError):
            continue
        if words and (name not in found or found[name][0] <= rank[section]):
            # uv separates the folders of find-links by commas, and indexes by blanks.
            found[name] = (rank[section], ("," if name == "find-links" else " ").join(words))
    return {name: value for name, (_, value) in found.items()}


def has_nvidia_gpu(devices: Path = Path("/dev")) -> bool:
    """Whether the driver of an NVIDIA GPU is loaded."""
    return (devices / "nvidiactl").exists() or shutil.which("nvidia-smi") is not None
