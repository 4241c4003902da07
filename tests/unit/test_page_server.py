"""The page's web server: what it serves, what it refuses, and that a slow browser costs nobody else."""

from __future__ import annotations

import asyncio
import json
import struct
import threading
from collections.abc import Iterator

import aiohttp
import pytest

from simlingo.contracts import SimlingoError
from simlingo_node.page.browser import pack_picture
from simlingo_node.page.server import PageServer, bind, host_allowed


class FakeSource:
    """A picture on every request, and a record of what was asked."""

    def __init__(self) -> None:
        self.browsers: list[int] = []
        self.requests: list[dict[str, object]] = []
        self.numbers: list[int] = []
        self.pictures = 0
        self.version = 0
        self.threads: set[str] = set()

    def browsers_changed(self, count: int) -> None:
        self.browsers.append(count)

    def next_picture(self) -> tuple[dict[str, object], bytes]:
        self.pictures += 1
        self.threads.add(threading.current_thread().name)
        return {"stamp": self.pictures}, b"\xff\xd8" + bytes(50_000)

    def snapshot(self) -> dict[str, object]:
        return {"kind": "state", "time": 1.0}

    def lasting(self) -> dict[str, object]:
        return {"kind": "lasting", "town": f"town{self.version}"}

    def lasting_version(self) -> object:
        return self.version

    def streets(self) -> bytes:
        return b'{"lanes":[],"marks":[]}'

    def act(self, request: dict[str, object], browser: int) -> None:
        self.numbers.append(browser)
        if request.get("do") == "nonsense":
            raise ValueError("unknown request 'nonsense'")
        self.requests.append(request)


@pytest.fixture
def served() -> Iterator[tuple[FakeSource, str]]:
    source = FakeSource()
    listener = bind("127.0.0.1", 0)
    server = PageServer(source)
    server.start(listener)
    yield source, f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.stop()


def test_page_and_its_files_are_served_with_security_headers(served: tuple[FakeSource, str]) -> None:
    async def visit() -> None:
        async with aiohttp.ClientSession(served[1]) as session:
            for path in ("/", "/static/app.js", "/static/style.css", "/static/icon.svg", "/streets.json"):
                async with session.get(path) as response:
                    assert response.status == 200
                    policy = response.headers["Content-Security-Policy"].split("; ")
                    assert {"default-src 'self'", "frame-ancestors 'none'"} < set(policy)
            async with session.get("/static/../node.py") as response:
                assert response.status == 404

    asyncio.run(visit())


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "car.example.org"},
        {"Host": "198.51.100.7:80"},
        {"Origin": "http://example.org"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/ws", "/streets.json"])
def test_foreign_pages_do_not_reach_the_car(served: tuple[FakeSource, str], headers: dict[str, str], path: str) -> None:
    async def visit() -> int:
        async with aiohttp.ClientSession(served[1]) as session, session.get(path, headers=headers) as response:
            return response.status

    assert asyncio.run(visit()) == 403


@pytest.mark.parametrize(
    ("host", "reached_at", "allowed"),
    [
        ("localhost:8090", "127.0.0.1", True),
        ("127.0.0.1:8090", "127.0.0.1", True),
        ("[::1]:8090", "::1", True),
        ("[fe80::1]:8090", "fe80::1%eth0", True),
        ("127.0.0.1:8090", "::ffff:127.0.0.1", True),
        ("192.168.1.7:8090", "192.168.1.7", True),
        ("localhost", "192.168.1.7", True),
        ("192.168.1.8:8090", "192.168.1.7", False),
        ("127.0.0.1", "", False),
        ("example.org", "127.0.0.1", False),
        ("localhost.example.org:8090", "127.0.0.1", False),
        ("", "127.0.0.1", False),
    ],
)
def test_hosts(host: str, reached_at: str, allowed: bool) -> None:
    assert host_allowed(host, reached_at) is allowed


def test_browser_gets_state_lasting_things_and_pictures(served: tuple[FakeSource, str]) -> None:
    source, address = served

    async def look() -> tuple[list[str], dict[str, object]]:
        kinds: list[str] = []
        overlay: dict[str, object] = {}
        async with aiohttp.ClientSession(address) as session, session.ws_connect("/ws") as socket:
            assert json.loads((await socket.receive(timeout=5)).data) == {"kind": "you", "number": 1}
            while len(kinds) < 12:
                message = await socket.receive(timeout=5)
                if message.type is aiohttp.WSMsgType.TEXT:
                    kinds.append(json.loads(message.data)["kind"])
                else:
                    (length,) = struct.unpack_from("<I", message.data)
                    overlay = json.loads(message.data[4 : 4 + length])
                    kinds.append("picture")
                if len(kinds) == 6:
                    source.version = 1
        return kinds, overlay

    kinds, overlay = asyncio.run(look())
    assert kinds.count("lasting") == 2, "once at the beginning and once after a change"
    assert kinds.count("state") >= 3
    assert kinds.count("picture") >= 3
    assert overlay["stamp"] == pytest.approx(source.pictures, abs=3)
    assert not any(name == "page" for name in source.threads), "pictures are made off the server's thread"


def test_no_picture_is_made_while_nobody_looks(served: tuple[FakeSource, str]) -> None:
    source, address = served

    async def look() -> None:
        async with aiohttp.ClientSession(address) as session, session.ws_connect("/ws") as socket:
            await socket.receive(timeout=5)

    asyncio.run(asyncio.sleep(0.3))
    assert source.pictures == 0
    asyncio.run(look())
    asyncio.run(asyncio.sleep(0.3))
    made = source.pictures
    asyncio.run(asyncio.sleep(0.3))
    assert source.pictures == made
    assert source.browsers == [1, 0]


def test_requests_are_carried_out_and_wrong_ones_answered(served: tuple[FakeSource, str]) -> None:
    source, address = served

    async def ask() -> list[str]:
        errors = []
        async with aiohttp.ClientSession(address) as session, session.ws_connect("/ws") as socket:
            for request in ('{"do":"pause"}', "not json", "[1]", "[" * 4000, '{"do":"nonsense"}'):
                await socket.send_str(request)
                while request != '{"do":"pause"}':
                    message = await socket.receive(timeout=5)
                    if message.type is aiohttp.WSMsgType.TEXT and (said := json.loads(message.data))["kind"] == "error":
                        errors.append(said["text"])
                        break
        return errors

    errors = asyncio.run(ask())
    assert len(errors) == 4
    assert "nonsense" in errors[-1]
    assert source.requests == [{"do": "pause"}]
    assert set(source.numbers) == {1}
    asyncio.run(ask())
    assert set(source.numbers) == {1, 2}, "each connection has a number of its own"


@pytest.mark.medium
def test_browser_that_does_not_read_does_not_hold_up_another(served: tuple[FakeSource, str]) -> None:
    _, address = served

    async def look() -> int:
        seen = 0
        async with (
            aiohttp.ClientSession(address) as session,
            session.ws_connect("/ws"),  # never read: at 15 x 50 kB/s its buffers fill within two seconds
            session.ws_connect("/ws") as reader,
        ):
            end = asyncio.get_running_loop().time() + 4.0
            while asyncio.get_running_loop().time() < end:
                message = await reader.receive(timeout=2)
                seen += message.type is aiohttp.WSMsgType.BINARY
        return seen

    assert asyncio.run(look()) >= 30


def test_taken_port_is_named_with_the_cure() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SimlingoError, match=rf"port {port} .*taken.*choose another port"):
            bind("127.0.0.1", port)


def test_packed_picture_holds_overlay_and_jpeg() -> None:
    packed = pack_picture({"stamp": 2}, b"jpeg")
    (length,) = struct.unpack_from("<I", packed)
    assert json.loads(packed[4 : 4 + length]) == {"stamp": 2}
    assert packed[4 + length :] == b"jpeg"
