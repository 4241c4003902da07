"""The route planner's target points, commands and progress (spec B.6, D.4)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import Command, EgoState, InvalidInputError
from simlingo.navigation.path_commands import commands_from_path, densify
from simlingo.navigation.route import MAX_DISTANCE_M, RoutePlanner, thin_plan

TURN_BEGIN, TURN_END = 100, 115


def corner(turn: Command = Command.LEFT) -> tuple[np.ndarray, list[Command]]:
    """100 m east, a 90 degree turn of 15 m, 85 m on; one point a metre."""
    side = -1.0 if turn == Command.LEFT else 1.0
    yaw, position, points = 0.0, np.zeros(2), []
    for index in range(201):
        points.append(position.copy())
        if TURN_BEGIN <= index < TURN_END:
            yaw += side * math.pi / 2.0 / 15.0
        position += (math.cos(yaw), math.sin(yaw))
    commands = [turn if TURN_BEGIN <= index < TURN_END else Command.FOLLOW_LANE for index in range(201)]
    return np.array(points), commands


def ego(x: float, y: float, yaw: float = 0.0) -> EgoState:
    return EgoState(0, x, y, yaw, 5.0)


def test_command_is_said_before_the_junction_and_stays_until_it_is_crossed() -> None:
    points, commands = corner()
    planner = RoutePlanner(points, commands)
    seen = [planner.update(ego(*point)) for point in points]
    assert [n.command for n in seen[:50]] == [Command.FOLLOW_LANE] * 50
    assert seen[49].next_command == Command.LEFT
    assert [n.command for n in seen[51:TURN_END]] == [Command.LEFT] * (TURN_END - 51)
    assert seen[80].distance_to_command == pytest.approx(20.0, abs=0.1)
    assert seen[105].distance_to_command == 0.0
    assert {n.command for n in seen[TURN_END + 1 :]} == {Command.FOLLOW_LANE}


def test_target_points_are_the_ends_of_the_turn_in_the_ego_frame() -> None:
    points, commands = corner()
    planner = RoutePlanner(points, commands)
    for index in range(81):
        navigation = planner.update(ego(*points[index]))
    np.testing.assert_allclose(navigation.target_points[0], (20.0, 0.0), atol=1e-6)
    np.testing.assert_allclose(navigation.target_points[1], points[TURN_END] - points[80], atol=1e-6)
    assert navigation.target_points[1, 1] < 0.0  # y is right: a left turn ends at negative y
    for index in range(81, 94):
        navigation = planner.update(ego(*points[index]))
    np.testing.assert_allclose(navigation.target_points[0], points[TURN_END] - points[93], atol=1e-6)


def test_route_ends_with_its_last_point_repeated() -> None:
    points, commands = corner()
    planner = RoutePlanner(points, commands)
    for point in points:
        navigation = planner.update(ego(*point, yaw=-math.pi / 2.0))
    assert planner.finished
    np.testing.assert_array_equal(navigation.target_points[0], navigation.target_points[1])
    assert planner.progress == pytest.approx(planner.length)


def test_sparse_plan_gives_the_same_targets_as_the_dense_one() -> None:
    points, commands = corner()
    kept = thin_plan(points, commands)
    dense, sparse = RoutePlanner(points, commands), RoutePlanner(points[kept], [commands[i] for i in kept])
    for point in points[:95]:
        first, second = dense.update(ego(*point)), sparse.update(ego(*point))
        np.testing.assert_allclose(first.target_points, second.target_points)
        assert first.command == second.command


def test_far_away_shows_as_deviation_and_coming_back_is_found() -> None:
    points, commands = corner()
    planner = RoutePlanner(points, commands)
    planner.update(ego(0.0, 1000.0))
    assert planner.deviation == pytest.approx(900.0, abs=150.0)
    planner = RoutePlanner(points, commands)
    planner.update(ego(20.0, 0.0))
    planner.update(ego(80.0, 1.0))
    assert planner.deviation == pytest.approx(1.0)
    assert planner.progress == pytest.approx(80.0)


def test_a_route_that_crosses_itself_does_not_jump() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 189)
    loop = np.stack((30.0 * np.sin(angle), 30.0 - 30.0 * np.cos(angle)), axis=1)
    points = np.vstack(
        (np.stack((np.arange(-50.0, 0.0), np.zeros(50)), axis=1), loop, [[x, 0.0] for x in range(1, 50)])
    )
    planner = RoutePlanner(points, [Command.FOLLOW_LANE] * len(points))
    for index, point in enumerate(points[:60]):
        planner.update(ego(*point))
        assert planner.progress == pytest.approx(index, abs=1.0)


@pytest.mark.parametrize(
    ("points", "count"),
    [
        (np.zeros((0, 2)), 0),
        (np.zeros((1, 2)), 1),
        (np.zeros((5, 2)), 5),
        (np.array([[0.0, 0.0], [np.nan, 1.0]]), 2),
        (np.array([[0.0, 0.0], [np.inf, 1.0]]), 2),
        (np.zeros((4, 3)), 4),
        (np.array([[0.0, 0.0], [9.0, 0.0]]), 3),
    ],
)
def test_broken_routes_are_refused(points: np.ndarray, count: int) -> None:
    with pytest.raises(InvalidInputError, match="route"):
        RoutePlanner(points, [Command.FOLLOW_LANE] * count)


def test_nan_in_odometry_is_refused() -> None:
    points, commands = corner()
    with pytest.raises(InvalidInputError, match="odometry"):
        RoutePlanner(points, commands).update(ego(math.nan, 0.0))


@given(
    headings=st.lists(st.floats(-0.5, 0.5), min_size=2, max_size=40),
    pieces=st.lists(st.sampled_from(list(Command)), min_size=2, max_size=40),
    noise=st.lists(st.floats(-3.0, 3.0), min_size=5, max_size=5),
)
def test_any_drive_along_any_route_gives_finite_ordered_answers(
    headings: list[float], pieces: list[Command], noise: list[float]
) -> None:
    yaw = np.cumsum(np.repeat(headings, 12) / 12.0)
    points = np.cumsum(np.stack((np.cos(yaw), np.sin(yaw)), axis=1), axis=0)
    commands = [pieces[(index // 12) % len(pieces)] for index in range(len(points))]
    kept = thin_plan(points, commands)
    assert kept[0] == 0
    assert kept[-1] == len(points) - 1
    gaps = np.diff(kept)
    assert gaps.min() >= 1
    assert gaps.max() <= MAX_DISTANCE_M
    planner, last = RoutePlanner(points, commands), 0.0
    for index in range(0, len(points), 3):
        navigation = planner.update(ego(points[index, 0], points[index, 1] + noise[index % 5], yaw[index]))
        assert np.isfinite(navigation.target_points).all()
        assert navigation.distance_to_command >= 0.0
        assert planner.progress >= last
        last = planner.progress
    planner.update(ego(*points[-1]))
    assert planner.finished


def test_commands_of_a_bare_path_come_from_its_bends() -> None:
    for turn in (Command.LEFT, Command.RIGHT):
        points, _ = corner(turn)
        commands = commands_from_path(points)
        assert {commands[i] for i in range(95)} == {Command.FOLLOW_LANE}
        assert {commands[i] for i in range(102, 113)} == {turn}
        assert {commands[i] for i in range(120, 201)} == {Command.FOLLOW_LANE}


def test_a_wide_curve_is_no_turn_and_a_kink_is_one() -> None:
    angle = np.linspace(0.0, np.pi / 2.0, 95)
    wide = 60.0 * np.stack((np.sin(angle), 1.0 - np.cos(angle)), axis=1)
    assert set(commands_from_path(wide)) == {Command.FOLLOW_LANE}
    kink = densify(np.array([[0.0, 0.0], [80.0, 0.0], [80.0, 60.0]]), 1.0)
    assert Command.RIGHT in commands_from_path(kink)
    planner = RoutePlanner.from_path(np.array([[0.0, 0.0], [80.0, 0.0], [80.0, 60.0]]))
    assert planner.update(ego(60.0, 0.0)).command == Command.RIGHT
