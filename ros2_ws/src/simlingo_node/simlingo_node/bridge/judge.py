"""Scores the drive with the simulator's scorer, and words it as a message."""

from __future__ import annotations

from typing import Any

import carla
from simlingo_msgs.msg import InstructionStatus, Score

from simlingo.contracts import FloatArray
from simlingo_drive.criteria import RouteScorer
from simlingo_node.conversions import ns_to_stamp
from simlingo_node.instruction_status import is_final, word_of


class Judge:
    """The score of one drive."""

    def __init__(self, world: Any, ego: Any, route: list[carla.Transform], carla_map: Any) -> None:
        self._scorer = RouteScorer(world, ego, route)
        self._map = carla_map
        self._instruction = ""
        self.ending = ""  # why the drive ends though the scorer goes on: "stopped", "failed"

    @property
    def status(self) -> str:
        """running, or how the drive ended."""
        return str(self.ending or self._scorer.status)

    def tick(self) -> None:
        """Judge the tick that the world has just made."""
        self._scorer.tick()

    def follow(self, points_in_map: FloatArray) -> None:
        """Score along another route from here on (an instruction has changed it)."""
        route = [self._map.get_waypoint(carla.Location(float(x), float(y), 0.0)).transform for x, y in points_in_map]
        self._scorer.change_route(route)

    def note_instruction(self, status: InstructionStatus) -> None:
        """Remember what became of the last instruction; what has no end yet is pending."""
        self._instruction = word_of(status.status) if is_final(status.status) else "pending"

    def message(self, stamp: int) -> Score:
        """The score so far."""
        result = self._scorer.result()
        message = Score(
            status=self.status,
            route_completion=float(result.route_completion),
            driving_score=float(result.driving_score),
            driven_m=float(result.driven_m),
            route_m=float(result.route_m),
            infractions=[infraction.text for infraction in result.infractions],
            red_lights_met=result.red_lights_met,
            red_lights_stopped=result.red_lights_stopped,
            collisions=sum(result.collisions.values()),
            instruction_result=self._instruction,
        )
        message.header.stamp = ns_to_stamp(stamp)
        message.header.frame_id = "map"
        return message

    def close(self) -> None:
        """Take the scorer's sensors away."""
        self._scorer.close()
