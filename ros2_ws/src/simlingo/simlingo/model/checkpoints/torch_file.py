"""Files of torch.save, read without executing what is in them.

Tensors are views of the mapped file: reading one costs memory only where its values are touched.
"""

from __future__ import annotations

import collections
import pickle
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError

_CHUNK = 1 << 22  # bytes
#: What describes the tensors may be this long, bytes; a thousand tensors take 0.1 MB, and reading 8 MiB some seconds.
MAX_DESCRIPTION = 8 << 20
_LEGACY_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
#: What damaged files raise, from zipfile (the last: a version that no reader knows).
_ZIP_DAMAGE = (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError)
#: What damaged files raise, from pickle and torch's reader.
_DAMAGE = (RuntimeError, OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError)

#: Packages of a training run whose objects a DeepSpeed file may mention; they become inert stand-ins.
_STAND_IN_PACKAGES = frozenset(
    {
        "deepspeed", "lightning", "lightning_fabric", "lightning_utilities", "pytorch_lightning", "omegaconf", "hydra",
        "simlingo_training", "transformers", "peft", "torch", "numpy", "pathlib", "datetime", "enum", "typing",
        "argparse", "collections", "copyreg", "_codecs",
    }
)  # fmt: skip
_PLAIN_TYPES: dict[str, type] = {
    kind.__name__: kind for kind in (set, frozenset, list, dict, tuple, int, float, bool, str, complex, slice)
}


def read_flat(path: Path) -> dict[str, Tensor]:
    """The state dict of a flat file (``torch.load(weights_only=True)``).

    Raises:
        InvalidInputError: no such file, damaged, holds other things than named tensors, or would execute code.
    """
    _check_zip(path)
    try:
        content = torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise _refusal(path, re.findall(r"GLOBAL (\S+)", str(error)) or [str(error).splitlines()[-1]]) from None
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    if not isinstance(content, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise InvalidInputError(f"{path} is no flat state dict of named tensors; export the weights alone")
    for name, tensor in content.items():
        if not _is_held(tensor):
            raise InvalidInputError(f"{path}: {name} claims more values than the file holds; export the weights again")
    return {name: tensor.detach() for name, tensor in content.items()}


def read_training_file(path: Path) -> Any:
    """The content of a DeepSpeed file; objects of the run's packages are inert stand-ins.

    Raises:
        InvalidInputError: no such file, damaged, or names something that is not on the allow-list.
    """
    _check_zip(path)
    try:
        # The file's pickle sees this module's unpickler only, so it can call nothing but what that one hands out.
        restricted: Any = SimpleNamespace(Unpickler=_RestrictedUnpickler, __name__="restricted")
        return torch.load(str(path), map_location="cpu", weights_only=False, mmap=True, pickle_module=restricted)
    except _RefusedError as error:
        raise _refusal(path, [str(error)]) from None
    except (pickle.UnpicklingError, *_DAMAGE) as error:
        raise _damaged(path, error) from error


def check_sums(path: Path, done: Callable[[int], None]) -> None:
    """Read the whole file and compare its checksums; ``done`` is told the bytes read.

    Raises:
        InvalidInputError: a part has another checksum than when it was written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                with archive.open(part) as stream:
                    while chunk := stream.read(_CHUNK):
                        done(len(chunk))
    except _ZIP_DAMAGE as error:
        raise _damaged(path, error) from error


def _is_held(tensor: Tensor) -> bool:
    """Whether a tensor's values are all stored: a view may repeat them without end."""
    return tensor.layout is not torch.strided or tensor.nbytes <= tensor.untyped_storage().nbytes()


class _RefusedError(Exception):
    """A pickle asked for something that is not on the allow-list."""


class StandIn:
    """Takes the place of any object of a training run: accepts everything, does and keeps nothing."""

    def __new__(cls, *_args: object, **_named: object) -> StandIn:
        """Any arguments."""
        return super().__new__(cls)

    def __init__(self, *_args: object, **_named: object) -> None:
        """Any arguments."""

    def __call__(self, *_args: object, **_named: object) -> StandIn:
        """Calling a stand-in gives a stand-in."""
        return self

    def __setstate__(self, _state: object) -> None:
        """Forget the state."""

    def __setitem__(self, _key: object, _value: object) -> None:
        """Forget the item."""

    def append(self, _item: object) -> None:
        """Forget the item."""

    def extend(self, _items: object) -> None:
        """Forget the items."""

    def add(self, _item: object) -> None:
        """Forget the item."""


class _RestrictedUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What a name in the pickle stands for: built-in types that cannot be changed, or objects made anew.

        A pickle can set attributes of whatever it is given, for the whole process where that is one of torch's.
        """
        if module in ("builtins", "__builtin__") and name in _PLAIN_TYPES:
            return _PLAIN_TYPES[name]
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):

            def tensor(storage: Any, offset: int, size: Any, stride: Any, *_rest: object) -> Tensor:
                made: Tensor = torch._utils._rebuild_tensor(storage, offset, size, stride)  # type: ignore[no-untyped-call]
                if not _is_held(made):
                    raise ValueError("a tensor claims more values than the file holds")
                return made

            return tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_rest: data
        if module == "torch":
            value = getattr(torch, name, None)
            if isinstance(value, torch.dtype) or name == "Size":
                return value
        if (module, name) == ("torch.storage", "UntypedStorage"):
            return SimpleNamespace(dtype=torch.uint8)  # all that torch's reader asks of a storage without a type
        if module.partition(".")[0] in _STAND_IN_PACKAGES:
            return StandIn
        raise _RefusedError(f"{module}.{name}")


def _check_zip(path: Path) -> None:
    """Only torch's zip files: the older format has no maps, and TorchScript archives hold programs."""
    if not path.is_file():
        raise InvalidInputError(f"weights {path} are missing; copy the whole checkpoint again")
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except _ZIP_DAMAGE as error:
        if _is_legacy(path):
            raise InvalidInputError(
                f"{path} is in torch's old format, which is not read; write it again with torch 1.6 or newer: "
                "torch.save(torch.load(FILE, weights_only=True), FILE)"
            ) from error
        raise _damaged(path, error) from error
    packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    if packed:  # torch maps the file and would take compressed bytes for numbers
        raise InvalidInputError(
            f"{path} was compressed after torch.save wrote it ({packed[0]}), which cannot be mapped; unpack it and pack it "
            "without compression, or take the original file"
        )
    for entry in entries:
        if entry.filename.endswith("/data.pkl") and entry.file_size > MAX_DESCRIPTION:
            raise InvalidInputError(
                f"{path} takes {entry.file_size / 1e6:.0f} MB to describe its tensors, which no checkpoint of ours needs; take the"
                " file from its publisher again, or save the state dict alone"
            )
    names = [entry.filename.partition("/")[2] for entry in entries]
    if len(set(names)) != len(names):
        raise InvalidInputError(
            f"{path} holds a part twice; it was changed after torch.save wrote it: take the original file"
        )
    if "data.pkl" not in names or "constants.pkl" in names:
        raise InvalidInputError(
            f"{path} was not written by torch.save as a zip file of tensors; save it again with torch"
        )


def _is_legacy(path: Path) -> bool:
    """Whether a file begins with the magic number of torch's format before its zip files."""
    try:
        with path.open("rb") as stream:
            return _LEGACY_MAGIC in stream.read(32)
    except OSError:
        return False


def _refusal(path: Path, names: list[str]) -> InvalidInputError:
    return InvalidInputError(
        f"{path} holds more than tensors ({', '.join(names)}) and loading it could execute code, so it is not loaded; "
        "take the file from its publisher again, or save the state dict alone"
    )


def _damaged(path: Path, error: Exception) -> InvalidInputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return InvalidInputError(f"weights {path} are damaged or cut short ({reason}); copy or download them again")
