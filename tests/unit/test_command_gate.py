"""Which command reaches the vehicle: one a tick, a person first, and the brake when nobody speaks."""

from __future__ import annotations

import math

import pytest

from simlingo_node.bridge.command_gate import LAST_BRAKE, PERSON, STACK, CommandGate, VehicleCommand

TICK = 50_000_000
GO = VehicleCommand(steer=0.25, throttle=0.5)


def test_before_any_command_the_brake_holds() -> None:
    gate = CommandGate(lockstep=True)
    command, who = gate.control(0)
    assert who == LAST_BRAKE
    assert (command.throttle, command.brake) == (0.0, gate.brake)


def test_lockstep_takes_the_command_of_this_tick_once() -> None:
    gate = CommandGate(lockstep=True)
    assert gate.offer(TICK, GO, TICK) is None
    assert gate.control(TICK) == (GO, STACK)
    assert "second command" in str(gate.offer(TICK, VehicleCommand(), TICK))
    assert gate.control(TICK) == (GO, STACK)


@pytest.mark.parametrize("lockstep", [False, True])
def test_a_second_command_for_a_tick_may_only_brake(lockstep: bool) -> None:
    gate = CommandGate(lockstep)
    brake = VehicleCommand(brake=0.9)
    gate.offer(TICK, GO, TICK)
    assert "second command" in str(gate.offer(TICK, VehicleCommand(throttle=0.1, brake=0.9), TICK))
    assert gate.offer(TICK, brake, TICK) is None
    assert gate.control(TICK) == (brake, STACK)
    assert "second command" in str(gate.offer(TICK, GO, TICK))


def test_once_closed_nobody_releases_the_brake() -> None:
    gate = CommandGate(lockstep=False)
    gate.offer(TICK, GO, TICK)
    gate.close()
    assert "after the end" in str(gate.offer(2 * TICK, GO, 2 * TICK))
    assert "the drive is over" in str(gate.offer_manual(GO, 2 * TICK))
    for override in (False, True):
        gate.override = override
        command, who = gate.control(2 * TICK)
        assert (command.throttle, command.brake, who) == (0.0, gate.brake, LAST_BRAKE)
    gate.override = False
    gate.reset()
    assert gate.offer(3 * TICK, GO, 3 * TICK) is None


def test_lockstep_tolerates_a_millisecond_and_no_more() -> None:
    gate = CommandGate(lockstep=True)
    assert "older tick" in str(gate.offer(TICK - 1_000_001, GO, TICK))
    assert gate.offer(TICK - 999_999, GO, TICK) is None
    assert gate.answered(TICK)
    assert not gate.answered(2 * TICK)


def test_real_time_takes_late_commands_but_none_out_of_order_or_from_the_future() -> None:
    gate = CommandGate(lockstep=False)
    assert gate.offer(2 * TICK, GO, 4 * TICK) is None
    assert "older one" in str(gate.offer(TICK, GO, 4 * TICK))
    for stamp, said in ((6 * TICK, "0.100 s ahead of the world"), (3 * TICK, "0.850 s ago")):
        assert gate.offer(stamp, GO, (4 if stamp > 4 * TICK else 20) * TICK) == (
            f"command refused: it is stamped {said}; give it the stamp of its odometry"
        )
    assert gate.offer(10 * TICK, GO, 20 * TICK) is None


def test_the_last_brake_comes_when_commands_stop() -> None:
    gate = CommandGate(lockstep=False)
    gate.offer(0, GO, 0)
    assert gate.control(10 * TICK) == (GO, STACK)
    command, who = gate.control(11 * TICK)
    assert who == LAST_BRAKE
    assert (command.throttle, command.brake) == (0.0, gate.brake)
    assert command.steer == GO.steer  # a bend is not left while braking


@pytest.mark.parametrize(
    "bad",
    [
        VehicleCommand(steer=math.nan),
        VehicleCommand(throttle=1.5),
        VehicleCommand(brake=-0.1),
        VehicleCommand(steer=2.0),
    ],
)
def test_commands_outside_their_range_never_reach_the_vehicle(bad: VehicleCommand) -> None:
    gate = CommandGate(lockstep=True)
    assert "refused" in str(gate.offer(0, bad, 0))
    assert "refused" in str(gate.offer_manual(bad, 0))
    assert gate.control(0)[1] == LAST_BRAKE


def test_a_person_takes_over_at_any_time_and_lets_go_again() -> None:
    gate = CommandGate(lockstep=False)
    person = VehicleCommand(steer=-0.3, throttle=0.2)
    gate.offer(0, GO, 0)
    gate.offer_manual(person, 0)
    assert gate.control(0) == (GO, STACK)
    gate.override = True
    assert gate.control(TICK) == (person, PERSON)
    assert gate.control(20 * TICK)[1] == LAST_BRAKE  # the person has gone
    gate.override = False
    gate.offer(21 * TICK, GO, 21 * TICK)
    assert gate.control(21 * TICK) == (GO, STACK)


def test_lockstep_drops_what_comes_late_and_refuses_what_another_clock_has_stamped() -> None:
    gate = CommandGate(lockstep=True)
    assert gate.offer(20 * TICK, GO, 20 * TICK) is None
    assert "older" in str(gate.offer(12 * TICK, GO, 21 * TICK))
    for stamp, now in ((0, 21 * TICK), (10 * TICK, 21 * TICK), (22 * TICK, 21 * TICK)):
        assert str(gate.offer(stamp, GO, now)).startswith("command refused: it is stamped")


@pytest.mark.parametrize("lockstep", [True, False])
def test_a_tick_that_nobody_answers_is_braked_as_the_wheels_stand(lockstep: bool) -> None:
    gate = CommandGate(lockstep)
    gate.offer(TICK, VehicleCommand(steer=0.25, throttle=0.5), TICK)
    gate.control(TICK)
    assert not gate.answered(2 * TICK)
    gate.brake_for(2 * TICK)
    assert gate.answered(2 * TICK)
    assert gate.control(2 * TICK)[0] == VehicleCommand(steer=0.25, brake=gate.brake)
    fresh = CommandGate(lockstep)
    fresh.brake_for(0)
    assert fresh.control(0)[0] == VehicleCommand(brake=fresh.brake)


@pytest.mark.parametrize(
    ("forward_mps", "reverses"), [(-3.0, True), (0.0, True), (1.0, True), (1.01, False), (9.0, False)]
)
@pytest.mark.parametrize("person", [True, False])
def test_who_goes_ahead_brakes_before_it_reverses(forward_mps: float, reverses: bool, person: bool) -> None:
    gate = CommandGate(lockstep=False)
    gate.override, gate.forward_mps = person, forward_mps
    back = VehicleCommand(steer=0.1, throttle=0.5, reverse=True)
    assert (gate.offer_manual(back, 0) if person else gate.offer(0, back, 0)) is None
    assert gate.control(0)[0] == (back if reverses else VehicleCommand(steer=0.1, brake=gate.brake))


def test_reset_forgets() -> None:
    gate = CommandGate(lockstep=True)
    gate.offer(5 * TICK, GO, 5 * TICK)
    gate.reset()
    assert gate.control(5 * TICK)[1] == LAST_BRAKE
    assert gate.offer(0, GO, 0) is None


def test_steering_moves_no_faster_than_an_actuator_whoever_asks() -> None:
    gate = CommandGate(lockstep=False)
    for person in (False, True):
        gate.reset()
        gate.override = person
        steers = []
        for tick in range(1, 6):
            wild = VehicleCommand(steer=1.0 if tick < 3 else -1.0, throttle=0.4)
            assert (
                gate.offer_manual(wild, tick * TICK) if person else gate.offer(tick * TICK, wild, tick * TICK)
            ) is None
            steers.append(gate.control(tick * TICK)[0].steer)
        assert steers == pytest.approx([0.55, 1.0, 0.45, -0.1, -0.65])


def test_what_the_controller_may_ask_for_passes_unchanged_also_after_two_ticks() -> None:
    gate = CommandGate(lockstep=False)
    for tick, steer in ((1, 0.5), (2, 1.0), (4, 0.0), (14, -1.0)):
        command = VehicleCommand(steer=steer, throttle=0.3)
        assert gate.offer(tick * TICK, command, tick * TICK) is None
        assert gate.control(tick * TICK) == (command, STACK)


def test_after_a_long_silence_steering_moves_as_in_two_ticks() -> None:
    gate = CommandGate(lockstep=False)
    gate.offer(TICK, VehicleCommand(steer=-0.5, throttle=0.3), TICK)
    gate.control(TICK)
    gate.offer(100 * TICK, VehicleCommand(steer=1.0, throttle=0.3), 100 * TICK)
    assert gate.control(100 * TICK)[0].steer == pytest.approx(0.6)
    assert gate.control(100 * TICK)[0].steer == pytest.approx(0.6)


def test_throttle_and_brake_never_reach_the_vehicle_together() -> None:
    gate = CommandGate(lockstep=True)
    gate.offer(TICK, VehicleCommand(throttle=0.7, brake=0.01), TICK)
    assert gate.control(TICK)[0] == VehicleCommand(throttle=0.0, brake=0.01)


def test_while_commands_may_be_a_strangers_the_gate_brakes_and_a_person_still_drives() -> None:
    gate = CommandGate(lockstep=False)
    gate.offer(TICK, GO, TICK)
    gate.offer_manual(VehicleCommand(throttle=0.2), TICK)
    gate.doubted = True
    assert gate.control(TICK) == (VehicleCommand(steer=GO.steer, brake=gate.brake), LAST_BRAKE)
    gate.override = True
    assert gate.control(TICK)[1] == PERSON
    gate.override = gate.doubted = False
    assert gate.control(TICK) == (GO, STACK)
