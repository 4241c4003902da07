"""One browser's connection, and what it is sent."""

from __future__ import annotations

import asyncio
import json
import struct

from aiohttp import web


def pack_picture(overlay: dict[str, object], jpeg: bytes) -> bytes:
    """One binary message: length of the overlay's JSON (uint32, little endian), the JSON, the JPEG."""
    head = json.dumps(overlay, separators=(",", ":")).encode()
    return struct.pack("<I", len(head)) + head + jpeg


class Browser:
    """One connection. Only the newest picture and the newest numbers wait; a slow browser skips the others."""

    def __init__(self, socket_: web.WebSocketResponse, number: int) -> None:
        self.socket = socket_
        self.number = number
        self.lasting_version: object = None
        self._picture: bytes | None = None
        self._texts: dict[str, str] = {}
        self._news = asyncio.Event()

    def offer(self, kind: str, text: str) -> None:
        """Send ``text``, in place of an unsent one of the same ``kind``."""
        self._texts[kind] = text
        self._news.set()

    def offer_picture(self, picture: bytes) -> None:
        """Send ``picture``, in place of an unsent one."""
        self._picture = picture
        self._news.set()

    async def pump(self) -> None:
        """Send what is offered until the connection ends."""
        while not self.socket.closed:
            await self._news.wait()
            self._news.clear()
            texts, self._texts = self._texts, {}
            picture, self._picture = self._picture, None
            for text in texts.values():
                await self.socket.send_str(text)
            if picture is not None:
                await self.socket.send_bytes(picture)
