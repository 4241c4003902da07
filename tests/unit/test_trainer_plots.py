"""The loss curves: a panel a loss, training beside validation, none hidden or covered by another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib", reason="matplotlib is not installed; ./simlingo test installs it")

import training.trainer.plots as plots

HISTORY = [
    {"samples": 2000.0 * step, "minutes": 1.0 * step, **dict.fromkeys(("total", "path", "speed", "text", "cause"), 1.0 / step),
     **({"val_total": 2.0 / step, "val_path": 3.0 / step} if step != 2 else {})}
    for step in (1, 2, 3)
]  # fmt: skip


@pytest.fixture
def figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The figure that was drawn to a file."""
    monkeypatch.setattr(plots.plt, "close", lambda figure: None)
    plots.plot_losses(HISTORY, tmp_path / "losses.png")
    assert (tmp_path / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["losses.png"]
    drawn = plots.plt.gcf()
    yield drawn
    monkeypatch.undo()
    plots.plt.close(drawn)


def test_each_loss_has_a_panel_with_its_curves(figure: Any) -> None:
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title() for axis in shown] == ["total", "path", "speed", "text", "cause"]
    assert all(axis.get_yscale() == "log" and axis.get_xlabel() == "thousand samples" for axis in shown)
    lines = {line.get_label(): line.get_xydata().tolist() for line in shown[1].lines}
    assert lines["training"] == [[2.0, 1.0], [4.0, 0.5], [6.0, pytest.approx(1 / 3)]]
    assert lines["validation"] == [[2.0, 3.0], [6.0, 1.0]]
    assert [text.get_text() for text in shown[1].get_legend().get_texts()] == ["training", "validation"]
    assert [line.get_label() for line in shown[2].lines] == ["training"]


def test_panels_fill_the_picture_and_leave_each_other_room(figure: Any) -> None:
    width, height = figure.get_size_inches()
    assert (width, height) == (16.0, 6.0)
    assert len(figure.axes) == 8
    shown = [axis for axis in figure.axes if axis.get_visible()]
    frames = [axis.get_tightbbox().transformed(figure.transFigure.inverted()) for axis in shown]
    for number, frame in enumerate(frames):
        assert frame.x0 > -0.005
        assert frame.y0 > -0.005
        assert frame.x1 < 1.0
        assert frame.y1 < 1.0
        assert not any(frame.overlaps(other) for other in frames[:number])
    assert shown[0].get_position().x0 < 0.07
    assert shown[3].get_position().x1 > 0.95
    assert shown[0].get_position().y1 > 0.9
    assert shown[4].get_position().y0 < 0.15
    assert shown[0].get_position().width > 0.18
    assert shown[0].get_position().height > 0.3
