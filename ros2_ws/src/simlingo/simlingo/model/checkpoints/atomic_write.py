"""Folders that appear whole or not at all, and errors of writing that say what is full."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from simlingo.contracts import InvalidInputError

_MARGIN = 16 << 20  # bytes for everything but the weights
#: What torch.save's errors of writing mention; it raises them as RuntimeError, like everything else.
_TORCH_WRITES = ("PytorchStreamWriter", "inline_container")


@contextlib.contextmanager
def whole_folder(target: Path, needed: int) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its name when the block ends well, and goes when it does not.

    Args:
        target: must not exist, or be an empty folder.
        needed: bytes of weights that will be written.

    Raises:
        InvalidInputError: the target is taken, the disk has no room, or cannot be written.
    """
    require_free_name(target)
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(target.parent).free
        if free < needed + _MARGIN:
            raise InvalidInputError(
                f"{target} needs {_size(needed + _MARGIN)}, {target.parent} has {_size(free)} left; make room, "
                "or name a folder on another disk"
            )
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent))
    except OSError as error:
        raise InvalidInputError(f"{target} cannot be made ({error}); name a folder that can be written") from error
    try:
        temporary.chmod(0o755)
        yield temporary
        for file in temporary.rglob("*"):
            if file.is_file():
                with writing(file), file.open("rb") as stream:
                    os.fsync(stream.fileno())
        with writing(target):
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def require_free_name(target: Path) -> None:
    """Check that ``target`` does not exist, or is an empty folder; commands ask before their long work.

    Raises:
        InvalidInputError: it is taken.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InvalidInputError(f"{target.absolute()} is there already; remove it, or name another folder")


@contextlib.contextmanager
def writing(file: Path, size: int = 0) -> Iterator[None]:
    """Turn what torch, safetensors and the system raise while ``file`` (of ``size`` bytes) is written into one error.

    Raises:
        InvalidInputError: the block could not write.
    """
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(sign in str(error) for sign in _TORCH_WRITES):
            raise
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        if not file.parent.is_dir():
            raise InvalidInputError(f"{file} could not be written: there is no folder {file.parent}") from error
        raise InvalidInputError(
            f"{file} could not be written ({reason}): {_size(size)} to write, "
            f"{_size(shutil.disk_usage(file.parent).free)} free on the disk; make room or lift the limit on file sizes, "
            "then start again: nothing half-written is left"
        ) from error


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 10_000_000 else f"{count / 1e3:.0f} kB"
