"""A Space of the Hugging Face Hub: the app in a frame inside a page of the Hub's.

To a browser that page is another site, and cookies of the app are a third party's. An upload needs
one (the token against forged requests), so it says that it may come along (`SameSite=None`), over
https alone, and out of a jar of its own for each site that frames the app (`Partitioned`), as
browsers want it that keep third parties' cookies away.
"""

import os

from starlette.types import ASGIApp, Message, Receive, Scope, Send

HUB = "https://huggingface.co"
FRAMED = "SameSite=None; Secure; Partitioned"


def in_space() -> bool:
    return "SPACE_HOST" in os.environ  # set there: the Space's name


def framed(cookie: str) -> str:
    """A Set-Cookie header for the inside of a frame.

    >>> framed("token=2|ab; Path=/; SameSite=Lax")
    'token=2|ab; Path=/; SameSite=None; Secure; Partitioned'
    """
    value, *attributes = cookie.split("; ")
    named = {one.partition("=")[0] for one in FRAMED.lower().split("; ")}
    kept = [one for one in attributes if one.partition("=")[0].lower() not in named]
    return "; ".join([value, *kept, FRAMED])


class FramedCookies:
    """In a Space, lets every cookie come along from inside the frame."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.in_space = app, in_space()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.in_space:
            return await self.app(scope, receive, send)

        async def send_framed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    (name, framed(value.decode("latin-1")).encode("latin-1"))
                    if name.lower() == b"set-cookie"
                    else (name, value)
                    for name, value in message["headers"]
                ]
            await send(message)

        await self.app(scope, receive, send_framed)
