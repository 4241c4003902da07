"""One pytest session in this process, on one test file."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
import tempfile
from pathlib import Path

#: Environment of every session: plug-ins are named, numeric libraries keep to one thread.
ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_PLUGINS = ("pytest_timeout", "_hypothesis_pytestplugin")
#: Parts of pytest that collect garbage after each test to warn of what nobody waited for.
_LEFT_OUT = ("-p", "no:unraisableexception", "-p", "no:threadexception")


def prepare() -> None:
    """Make hypothesis repeat itself: the same examples for every fault, no shrinking of those that fail."""
    os.environ.update(ENVIRONMENT)
    if importlib.util.find_spec("hypothesis") is not None:
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


_WARM_UP = """
from hypothesis import given, strategies as st

@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.integers(0, 9))), st.sampled_from("ab"), st.booleans(), st.text())
def test_nothing(pairs, letter, flag, text):
    pass
"""


def warm_up(root: Path) -> None:
    """Run a session over a test of nothing: forked processes find pytest and hypothesis imported, their tables made.

    All objects made so far are then left out of garbage collections, which would copy them into every fork.
    """
    streams = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryDirectory(prefix="simlingo-warm-") as folder, open(os.devnull, "wb") as nothing:
        try:
            for number in (1, 2):
                os.dup2(nothing.fileno(), number)
            file = Path(folder) / "test_warm_up.py"
            file.write_text(_WARM_UP)
            run_pytest(root, str(file), Path(folder) / "scratch", object())
        finally:
            for number, stream in zip((1, 2), streams, strict=True):
                os.dup2(stream, number)
                os.close(stream)
    sys.modules.pop("test_warm_up", None)
    gc.collect()
    gc.freeze()


def run_pytest(root: Path, file: str, scratch: Path, plugin: object, *options: str) -> int:
    """One session over ``file``; its exit status."""
    import pytest

    plugins = [word for name in _PLUGINS if importlib.util.find_spec(name) for word in ("-p", name)]
    words = [
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        *_LEFT_OUT,
        "-m",
        "not slow",
        f"--rootdir={root}",
        *plugins,
        *options,
    ]
    return int(pytest.main([*words, f"--basetemp={scratch}", str(root / file)], plugins=[plugin]))
