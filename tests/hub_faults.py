"""Ways to send a file that a Hub should not have."""

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse


def whole(content: bytes, headers: dict[str, str]) -> Response:
    return Response(content, headers=headers)


class Slow:
    """A byte every `pause` seconds, after the first `at_once` bytes."""

    def __init__(self, pause: float = 1.0, at_once: int = 0) -> None:
        self.pause, self.at_once = pause, at_once
        self.sending = 0

    def __call__(self, content: bytes, headers: dict[str, str]) -> Response:
        return StreamingResponse(
            self._bytes(content), headers=headers | {"Content-Length": str(len(content))}
        )

    async def _bytes(self, content: bytes) -> AsyncIterator[bytes]:
        self.sending += 1
        try:
            yield content[: self.at_once]
            for at in range(self.at_once, len(content)):
                await asyncio.sleep(self.pause)
                yield content[at : at + 1]
        finally:
            self.sending -= 1


def cut(content: bytes, headers: dict[str, str]) -> Response:
    """Half of what was promised, then the connection ends."""

    async def half() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        raise ConnectionAbortedError

    return StreamingResponse(half(), headers=headers | {"Content-Length": str(len(content))})


def shorter(content: bytes, headers: dict[str, str]) -> Response:
    """Less than HEAD has said, and nothing else wrong."""
    return Response(content[: len(content) // 2], headers=headers)


def longer(content: bytes, headers: dict[str, str]) -> Response:
    """Twice as much as HEAD has said."""
    return Response(content * 2, headers=headers)


def endless(content: bytes, headers: dict[str, str]) -> Response:
    """No length, and no end."""

    async def more() -> AsyncIterator[bytes]:
        while True:
            yield content
            await asyncio.sleep(0)

    return StreamingResponse(more(), headers=headers)


def huge(content: bytes, headers: dict[str, str]) -> Response:
    """A length beyond any network's, stated only where the bytes are."""

    async def some() -> AsyncIterator[bytes]:
        yield content

    return StreamingResponse(some(), headers=headers | {"Content-Length": str(10**12)})


def refused(status: int):
    """An answer with this status in place of the bytes."""

    def send(content: bytes, headers: dict[str, str]) -> Response:
        return Response(status_code=status, headers={"Retry-After": "1"})

    return send
