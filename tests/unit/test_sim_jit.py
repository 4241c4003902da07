"""Compiled kernels are kept, and never outlive the sources that they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import numba

from simlingo_sim.jit import kernel, prepare_cache, source_fingerprint


def make_package(folder: Path) -> Path:
    (folder / "traffic").mkdir()
    (folder / "render").mkdir()
    (folder / "a.py").write_text("x = 1\n")
    (folder / "traffic" / "b.py").write_text("y = 1\n")
    (folder / "render" / "c.py").write_text("z = 1\n")
    return folder


def test_a_change_of_any_kernel_source_changes_the_fingerprint(tmp_path: Path) -> None:
    package = make_package(tmp_path)
    before = source_fingerprint(package)
    assert source_fingerprint(package) == before
    (package / "traffic" / "b.py").write_text("y = 2\n")
    assert source_fingerprint(package) != before


def test_the_renderers_sources_count(tmp_path: Path) -> None:
    package = make_package(tmp_path)
    before = source_fingerprint(package)
    (package / "render" / "c.py").write_text("z = 2\n")
    assert source_fingerprint(package) != before


def test_the_cache_goes_where_it_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert prepare_cache((blocked, tmp_path / "home"), "abc") == tmp_path / "home" / "kernels-abc"
    assert prepare_cache((blocked,), "abc").is_dir()


def test_old_caches_go_and_the_newest_stay(tmp_path: Path) -> None:
    for number in range(6):
        folder = tmp_path / f"kernels-{number}"
        folder.mkdir()
        os.utime(folder, (number, number))
    prepare_cache((tmp_path,), "new")
    assert sorted(path.name for path in tmp_path.glob("kernels-*")) == ["kernels-4", "kernels-5", "kernels-new"]


def test_a_kernel_computes_and_leaves_numbas_settings_alone() -> None:
    before = getattr(numba.config, "CACHE_DIR", "")

    @kernel
    def double(value: int) -> int:
        return 2 * value

    assert double(21) == 42
    assert getattr(numba.config, "CACHE_DIR", "") == before
