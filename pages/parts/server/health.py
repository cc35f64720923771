"""Whether the server still computes: a small sum goes through the threads that do the work."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from pages.parts.server.log import tell

PATH = "/health"
PATIENCE_SECONDS = 2.0  # for one answer
STALLED_SECONDS = 120.0  # without a piece of work being done; the longest take half of it
SIDE = 16

Status = Literal["ok", "busy", "starting", "stalled", "wrong"]
BAD = 503


@dataclass
class Pulse:
    """One sum on its way at a time, whoever asks."""

    sent: float = 0.0
    sum: Future[float] | None = None

    async def felt(self) -> tuple[Status, float]:
        """How it is, and for how many seconds nothing has been done while a sum waits."""
        from pages.parts.shared import worker  # imports PyTorch

        if self.sum is None:
            self.sent, self.sum = time.monotonic(), worker.begun(_sum)
        sent, on_its_way = self.sent, self.sum
        answer = asyncio.wrap_future(on_its_way)
        await asyncio.wait([answer], timeout=PATIENCE_SECONDS)
        if not answer.done():
            idle = time.monotonic() - max(sent, worker.last_done())
            return ("stalled" if idle > STALLED_SECONDS else "busy"), idle
        if self.sum is on_its_way:
            self.sum = None
        is_right = answer.exception() is None and answer.result() == SIDE**3
        return ("ok" if is_right else "wrong"), 0.0


def _sum() -> float:
    import torch

    ones = torch.ones(SIDE, SIDE)
    return float((ones @ ones).sum())


def health(is_starting: Callable[[], bool]) -> Route:
    """200 where the server computes or has work that goes on, 503 where it does not."""
    pulse = Pulse()

    async def answer(request: Request) -> JSONResponse:
        status, idle = ("starting", 0.0) if is_starting() else await pulse.felt()
        is_bad = status not in ("ok", "busy")
        if is_bad:
            tell("unhealthy", status=status, idle_seconds=round(idle, 1))
        return JSONResponse(
            {"status": status, "idle_seconds": round(idle, 1)},
            BAD if is_bad else 200,
            {"Cache-Control": "no-store"},
        )

    return Route(PATH, answer)
