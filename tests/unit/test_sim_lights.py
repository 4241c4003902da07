"""Light programs: phases take turns, hands are obeyed, and the API tells where each light holds its lanes back."""

from __future__ import annotations

import math

import carla
import pytest
from sim_world import fresh_world, run, spawn_on

from simlingo_sim import TOWNS, World
from simlingo_sim.lights import ALL_RED_S, GREEN_S, YELLOW_S, LightState, Program
from simlingo_sim.traffic_light import TRIGGER_LENGTH

RED, YELLOW, GREEN = (getattr(carla.TrafficLightState, name) for name in ("Red", "Yellow", "Green"))


@pytest.fixture(scope="module")
def world() -> World:
    return fresh_world()


def two_phases() -> Program:
    return Program([[LightState("a"), LightState("b")], [LightState("c")]])


def states(program: Program) -> str:
    return "".join(str(light.state)[0] for light in program.lights)


def test_the_round_is_green_yellow_all_red_then_the_next() -> None:
    program, seen = two_phases(), []
    for _ in range(round(2 * (GREEN_S + YELLOW_S + ALL_RED_S))):
        seen.append(states(program))
        program.advance(1.0)
    assert seen == ["GGR"] * 12 + ["YYR"] * 3 + ["RRR"] * 2 + ["RRG"] * 12 + ["RRY"] * 3 + ["RRR"] * 2
    assert states(program) == "GGR"


def test_small_steps_sum_to_the_same_round() -> None:
    coarse, fine = two_phases(), two_phases()
    for _ in range(40):
        coarse.advance(1.0)
        for _ in range(20):
            fine.advance(0.05)
        assert states(coarse) == states(fine)


def test_a_frozen_program_stands_still_and_a_light_can_be_set_alone() -> None:
    program = two_phases()
    program.frozen = True
    program.set_state(program.lights[2], GREEN)
    program.advance(100.0)
    assert states(program) == "GGG"


@pytest.mark.parametrize(
    ("light", "state", "shown"), [(2, GREEN, "RRG"), (2, YELLOW, "RRY"), (0, RED, "RRG"), (0, GREEN, "GGR")]
)
def test_setting_a_running_light_moves_the_program(light: int, state: carla.TrafficLightState, shown: str) -> None:
    program = two_phases()
    program.set_state(program.lights[light], state)
    program.advance(0.05)
    assert states(program) == shown


def test_elapsed_time_starts_with_the_state() -> None:
    program = two_phases()
    program.advance(5.0)
    assert program.lights[0].elapsed_s == pytest.approx(5.0)
    program.advance(8.0)
    assert program.lights[0].elapsed_s < 8.0


@pytest.mark.medium
@pytest.mark.parametrize("town", TOWNS)
def test_no_junction_is_ever_green_for_two_phases(town: str) -> None:
    world = fresh_world(town)
    if not world.traffic_lights:
        pytest.skip(f"{town} has no lights")
    for _ in range(40):
        run(world, 1.0)
        for light in world.traffic_lights:
            shown = {id(phase) for phase in light.program.phases for other in phase if other.state != RED}
            assert len(shown) <= 1


@pytest.mark.medium
def test_each_light_gets_green_in_its_turn(world: World) -> None:
    green = set()
    for _ in range(80):
        run(world, 1.0)
        green |= {light.id for light in world.traffic_lights if light.get_state() == GREEN}
    assert green == {light.id for light in world.traffic_lights}


def test_offsets_come_from_the_seed() -> None:
    def shown(seed: int) -> list[str]:
        return [str(light.state) for light in fresh_world(seed=seed).traffic_lights]

    assert shown(1) == shown(1)
    assert shown(1) != shown(2)


def test_set_state_and_freeze_through_the_actor() -> None:
    world = fresh_world()
    light = world.traffic_lights[0]
    light.set_state(GREEN)
    light.freeze(True)
    run(world, 30.0)
    assert light.state == light.get_state() == GREEN
    own_phase = next(
        phase for phase in light.program.phases if light.get_opendrive_id() in [a.signal_id for a in phase]
    )
    for other in light.get_group_traffic_lights():
        assert (other.get_state() == GREEN) == (other.get_opendrive_id() in [state.signal_id for state in own_phase])
    light.freeze(False)
    run(world, 30.0)
    assert light.get_elapsed_time() < 30.0


def test_stop_waypoints_lie_before_the_junction_on_the_lights_lanes(world: World) -> None:
    for light in world.traffic_lights:
        stops = light.get_stop_waypoints()
        assert stops
        for stop, affected in zip(stops, light.get_affected_lane_waypoints(), strict=True):
            assert not stop.is_junction
            assert any(ahead.is_junction for distance in (4.0, 8.0) for ahead in stop.next(distance))
            assert stop.transform.location.distance(light.get_location()) < 15.0
            back = stop.transform.location.distance(affected.transform.location)
            assert back == pytest.approx(TRIGGER_LENGTH / 2, abs=0.3)


def test_the_trigger_volume_covers_the_lanes_before_the_stop_line(world: World) -> None:
    for light in world.traffic_lights:
        box, pose = light.trigger_volume, light.get_transform()
        for affected in light.get_affected_lane_waypoints():
            assert box.contains(affected.transform.location, pose)
            beyond = affected.next(TRIGGER_LENGTH)[0].transform.location
            assert not box.contains(beyond, pose)


def test_a_vehicle_knows_its_light(world: World) -> None:
    light = world.traffic_lights[3]
    stop = light.get_stop_waypoints()[0]
    near = spawn_on(world, stop.previous(5.0)[0])
    assert near.is_at_traffic_light()
    assert near.get_traffic_light() is light
    assert near.get_traffic_light_state() == light.get_state()
    near.destroy()
    far = spawn_on(world, stop.previous(30.0)[0])
    assert far.get_traffic_light() is None
    far.destroy()


def test_stop_signs_are_actors_with_a_trigger_volume(world: World) -> None:
    signs = world.get_actors().filter("traffic.stop")
    assert len(signs) > 0
    for sign in signs:
        stop = sign.get_stop_waypoints()[0].transform
        before = carla.Location(
            stop.location.x - 3.0 * math.cos(math.radians(stop.rotation.yaw)),
            stop.location.y - 3.0 * math.sin(math.radians(stop.rotation.yaw)),
            stop.location.z,
        )
        assert sign.trigger_volume.contains(before, sign.get_transform())


def test_lights_cannot_be_destroyed(world: World) -> None:
    assert not world.traffic_lights[0].destroy()
