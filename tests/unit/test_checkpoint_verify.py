"""verify: the published modules' case, and one of our own with full passes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import REFERENCE, case_of, random_network, write_pair  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoints.verify import read_case  # noqa: E402
from simlingo_cli.main import main  # noqa: E402

PARITY = REFERENCE / "parity"


@pytest.mark.skipif(
    not (PARITY / "case.npz").is_file(), reason="no parity case beside this checkout (shared/reference/parity)"
)
def test_the_published_modules_case_is_reproduced(tmp_path: Path) -> None:
    assert main(["checkpoint", "verify", str(PARITY), "--json", str(tmp_path / "r.json"), "--tolerance", "5e-5"]) == 0
    report = json.loads((tmp_path / "r.json").read_text())
    assert report.pop("text_equal") is True
    stored = set(np.load(PARITY / "case.npz").files)
    assert set(report) == stored - {"frame", "input_ids", "target_points", "text_ids"}
    assert report["pixel_values"] == 0.0
    assert max(report.values()) <= 5e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    network = random_network()
    path = write_pair(tmp_path_factory.mktemp("verify") / "tiny", network)
    np.savez(path / "case.npz", **case_of(network))
    return path


def changed(folder: Path, target: Path, **arrays: np.ndarray) -> Path:
    """The case with other arrays."""
    np.savez(target / "case.npz", **{**np.load(folder / "case.npz"), **arrays})
    return target / "case.npz"


def test_the_cache_gives_what_full_passes_give(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "verify", str(folder)]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["text_equal"] is True
    assert set(report) >= {"vision_features", "prompt_embeds", "query_hidden", "route", "speed_wps"}


def test_a_tensor_beyond_the_tolerance_fails(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    route = np.load(folder / "case.npz")["route"]
    route[0, 3, 1] += 0.01 * np.abs(route).max()
    case = changed(folder, tmp_path, route=route, novelty=np.zeros(3))
    assert main(["checkpoint", "verify", str(folder), "--case", str(case)]) == 1
    output = capsys.readouterr()
    assert 0.009 < json.loads(output.out)["route"] < 0.011
    assert json.loads(output.out)["novelty"] is None
    assert "novelty" in output.err
    assert main(["checkpoint", "verify", str(folder), "--case", str(case), "--tolerance", "0.02"]) == 0


@pytest.mark.parametrize("extra", [{}, {"novelty": np.zeros(3)}])
def test_a_case_that_compares_nothing_is_an_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: dict[str, np.ndarray]
) -> None:
    stored = np.load(folder / "case.npz")
    inputs = {name: stored[name] for name in ("frame", "input_ids", "target_points")}
    np.savez(tmp_path / "case.npz", **inputs, **extra)
    report = tmp_path / "report.json"
    command = ["checkpoint", "verify", str(folder), "--case", str(tmp_path / "case.npz"), "--json", str(report)]
    assert main(command) == 1
    output = capsys.readouterr()
    for word in ("no tensor to compare", "route", *extra):
        assert word in output.err
    assert not output.out
    assert not report.exists()


def test_another_text_fails(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = np.load(folder / "case.npz")["text_ids"]
    case = changed(folder, tmp_path, text_ids=text[:, :-1])
    assert main(["checkpoint", "verify", str(folder), "--case", str(case)]) == 1
    assert json.loads(capsys.readouterr().out)["text_equal"] is False


def test_cases_that_do_not_fit_are_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = dict(np.load(folder / "case.npz"))
    ids = stored["input_ids"].copy()
    ids[ids == 50] = 7
    for arrays, sign in (
        ({"frame": stored["frame"][:40]}, "48"),
        ({"input_ids": ids}, "image tokens"),
        ({"input_ids": stored["input_ids"] + 60}, "below 68"),
        ({"route": stored["route"][:, :4]}, "route"),
    ):
        case = changed(folder, tmp_path, **arrays)
        assert main(["checkpoint", "verify", str(folder), "--case", str(case)]) == 1
        assert sign in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "array", "sign"),
    [
        ("frame", np.zeros((48, 96, 3), np.float32), "uint8"),
        ("frame", np.zeros((48, 96), np.uint8), "(height, width, 3)"),
        ("frame", np.zeros((48, 96, 4), np.uint8), "(height, width, 3)"),
        ("input_ids", np.zeros((1, 0), np.int64), "whole numbers"),
        ("input_ids", np.zeros((1, 9)) + 0.5, "whole numbers"),
        ("input_ids", np.array(["a", "b"]), "whole numbers"),
        ("input_ids", np.zeros((2, 9), np.int64), "(1, tokens)"),
        ("target_points", np.zeros((3, 2), np.float32), "(2, 2)"),
        ("target_points", np.full((2, 2), np.nan), "finite"),
        ("text_ids", np.zeros((1, 3)), "whole numbers"),
        ("route", np.array("a road"), "numbers"),
        ("route", np.zeros(3, np.void), "numbers"),
        ("route", np.zeros((20, 2), np.complex64), "numbers"),
        ("speed_wps", np.zeros((0, 2)), "numbers"),
    ],
)
def test_arrays_of_another_kind_are_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, array: np.ndarray, sign: str
) -> None:
    case = changed(folder, tmp_path, **{name: array})
    assert main(["checkpoint", "verify", str(folder), "--case", str(case)]) == 1
    text = capsys.readouterr().err
    assert f"case.npz: {name} is" in text
    assert sign in text


def test_a_report_that_cannot_be_written_is_named_before_the_work(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["checkpoint", "verify", str(folder), "--json", str(tmp_path)])
    text = capsys.readouterr().err
    assert "is a folder" in text
    assert "running" not in text
    assert main(["checkpoint", "verify", str(folder), "--json", str(tmp_path / "new/report.json")]) == 0
    assert (tmp_path / "new/report.json").is_file()


def test_a_case_is_never_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "case.npz", frame=np.array([print], dtype=object))
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_case(tmp_path / "case.npz")
    with pytest.raises(InvalidInputError, match="--case FILE"):
        read_case(tmp_path / "none.npz")
