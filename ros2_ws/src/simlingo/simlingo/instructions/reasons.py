"""Why the driver says no, in words for people."""

from __future__ import annotations

from simlingo.requests import Reason

#: A sentence for each reason.
SAID: dict[Reason, str] = {
    Reason.VEHICLE: "that would hit a vehicle or cut in before it",
    Reason.WALKER: "that would hit a person",
    Reason.OBSTACLE: "something stands in the way of that",
    Reason.RED_LIGHT: "the light is red",
    Reason.STOP_SIGN: "there is a stop sign",
    Reason.SOLID_LINE: "the line there is solid",
    Reason.ONCOMING_LANE: "that lane belongs to the oncoming traffic",
    Reason.OFF_ROAD: "that leads off the road",
    Reason.SPEED_LIMIT: "that is faster than allowed here",
    Reason.NO_LANE: "there is no such lane",
    Reason.NO_OBJECT: "I see nothing of that description",
    Reason.NO_JUNCTION: "no junction near offers that way",
    Reason.NO_LEAD: "there is no vehicle ahead",
    Reason.OUT_OF_REACH: "I cannot get there, or not in time",
    Reason.NOT_UNDERSTOOD: "I do not understand that",
    Reason.NOT_DRIVING: "that is nothing a driver can do",
}
