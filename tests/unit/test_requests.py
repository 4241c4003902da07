"""The vocabulary of requests and refusals is whole."""

from __future__ import annotations

from simlingo.requests import VERDICT_OF, Reason, Verdict


def test_every_reason_explains_one_verdict_and_none_explains_following() -> None:
    assert set(VERDICT_OF) == set(Reason)
    assert Verdict.FOLLOW not in VERDICT_OF.values()
    assert Reason.RED_LIGHT.verdict is Verdict.UNSAFE
    assert Reason.NO_LANE.verdict is Verdict.IMPOSSIBLE
    assert Reason.NOT_DRIVING.verdict is Verdict.NOT_UNDERSTOOD
