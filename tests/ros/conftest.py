"""Fixtures that several files of this folder share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from route_partner import Partner
from stack_harness import process, running


@pytest.fixture
def partner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Partner]:
    parameters = getattr(request, "param", {})
    with running([process("route", parameters)], tmp_path) as (network, _):
        yield Partner(network)
