"""The page's web server: static files, streets, and one WebSocket per browser."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from aiohttp import WSMsgType, web

from simlingo.contracts import SimlingoError
from simlingo_node.page.browser import Browser, pack_picture

#: Pushes per second at most, pictures and numbers alike.
PUSH_RATE_HZ = 15.0
_MAX_MESSAGE_BYTES = 4096
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws: wss:; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Source(Protocol):
    """What the server serves; called on the server's thread unless said otherwise."""

    def browsers_changed(self, count: int) -> None:
        """So many browsers look now; with none, no picture is needed."""

    def next_picture(self) -> tuple[dict[str, object], bytes] | None:
        """Overlay and JPEG of a frame not handed out before, ``None`` without one. Called on a worker thread."""

    def snapshot(self) -> dict[str, object]:
        """Everything that changes, as JSON values."""

    def lasting(self) -> dict[str, object]:
        """What a browser needs once, or after a change."""

    def lasting_version(self) -> object:
        """Changes when ``lasting`` must be sent again."""

    def streets(self) -> bytes:
        """The streets as JSON."""

    def act(self, request: dict[str, object], browser: int) -> None:
        """Carry out a request of the browser with this number.

        Raises:
            ValueError: the request is not understood.
        """


def bind(host: str, port: int) -> socket.socket:
    """A listening socket on ``host:port`` (0: any free port).

    Raises:
        SimlingoError: the port is taken or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(32)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            cause = f"port {port} on {host} is taken, perhaps by another drive"
        elif error.errno == errno.EACCES:
            cause = f"port {port} needs administrator rights"
        else:
            cause = f"cannot listen on {host}:{port} ({error.strerror})"
        raise SimlingoError(
            f"live page: {cause}; end the other program or choose another port (page parameter port, 0 = any free one)"
        ) from error
    listener.setblocking(False)
    return listener


def host_allowed(host: str, reached_at: str) -> bool:
    """Whether ``host`` (a Host header) is localhost or the address that the request was ``reached_at``.

    Names are refused: a foreign page whose name is made to point here (DNS rebinding) must not reach the car.
    """
    name = host.rsplit(":", 1)[0] if not host.endswith("]") and host.count(":") != 0 else host
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        wanted, here = ipaddress.ip_address(name), ipaddress.ip_address(reached_at.split("%")[0])
    except ValueError:
        return False
    return wanted == (getattr(here, "ipv4_mapped", None) or here)


class PageServer:
    """Serves ``source`` to browsers."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._browsers: set[Browser] = set()
        self._served = 0  # connections so far; each has its number
        self._running = threading.Event()
        self._static = Path(str(files("simlingo_node.page") / "static"))

    def application(self) -> web.Application:
        """The routes: page, static files, streets, socket."""
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/", self._index)
        app.router.add_get("/streets.json", self._streets)
        app.router.add_get("/ws", self._socket)
        app.router.add_static("/static/", self._static)
        return app

    def start(self, listener: socket.socket) -> None:
        """Serve on ``listener`` from a thread of its own."""
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(listener),), name="page", daemon=True)
        self._thread.start()
        self._running.wait()

    def stop(self) -> None:
        """End the connections and the thread; takes less than a second."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=1.0)

    async def _run(self, listener: socket.socket) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._running.set()
        runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        pusher = asyncio.create_task(self._push())
        await self._stop.wait()
        pusher.cancel()
        for browser in list(self._browsers):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(browser.socket.close(), 0.2)
        await runner.cleanup()

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse requests that foreign web pages make from this machine's browser."""
        reached_at = request.transport.get_extra_info("sockname") if request.transport is not None else None
        if not host_allowed(request.host, str(reached_at[0]) if reached_at else ""):
            raise web.HTTPForbidden(text="open this page by address or as localhost")
        origin = request.headers.get("Origin")
        if origin is not None and origin.split("://", 1)[-1] != request.host:
            raise web.HTTPForbidden(text="this page answers only to itself")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_SECURITY_HEADERS)
        return response

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._static / "index.html")

    async def _streets(self, _: web.Request) -> web.StreamResponse:
        response = web.Response(body=self._source.streets(), content_type="application/json")
        response.enable_compression()
        return response

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        connection = web.WebSocketResponse(heartbeat=10.0, max_msg_size=_MAX_MESSAGE_BYTES, compress=False)
        await connection.prepare(request)
        self._served += 1
        browser = Browser(connection, self._served)
        browser.offer("you", json.dumps({"kind": "you", "number": browser.number}))
        self._browsers.add(browser)
        self._source.browsers_changed(len(self._browsers))
        sender = asyncio.create_task(browser.pump())
        try:
            async for message in connection:
                if message.type == WSMsgType.TEXT:
                    self._receive(browser, message.data)
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender
            self._browsers.discard(browser)
            self._source.browsers_changed(len(self._browsers))
        return connection

    def _receive(self, browser: Browser, text: str) -> None:
        """One request of a browser; what is wrong with it is answered."""
        try:
            request = json.loads(text)
            if not isinstance(request, dict):
                raise ValueError("a request is a JSON object")
            self._source.act(request, browser.number)
        except RecursionError:
            browser.offer("error", json.dumps({"kind": "error", "text": "the request is nested too deeply"}))
        except ValueError as error:
            browser.offer("error", json.dumps({"kind": "error", "text": str(error)}))

    async def _push(self) -> None:
        """Offer the newest picture and numbers to all browsers, at a steady pace, while there are any."""
        loop = asyncio.get_running_loop()
        painter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pictures")  # one thread, one heap
        period = 1.0 / PUSH_RATE_HZ
        due = loop.time()
        while True:
            due = max(due + period, loop.time())
            await asyncio.sleep(due - loop.time())
            if not self._browsers:
                continue
            picture = await loop.run_in_executor(painter, self._source.next_picture)
            state = json.dumps(self._source.snapshot(), separators=(",", ":"))
            version = self._source.lasting_version()
            packed = None if picture is None else pack_picture(*picture)
            for browser in list(self._browsers):
                if browser.lasting_version != version:
                    browser.lasting_version = version
                    browser.offer("lasting", json.dumps(self._source.lasting(), separators=(",", ":")))
                browser.offer("state", state)
                if packed is not None:
                    browser.offer_picture(packed)
