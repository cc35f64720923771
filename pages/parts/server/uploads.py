"""How much may be uploaded: a visit's files stay in memory, asked for by a page or not."""

from collections import Counter

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config
from streamlit.runtime import get_instance
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from pages.parts.server.refusing import refuse

PATH = "/_stcore/upload_file/"
FILES_OF_A_VISIT = 50
BYTES_OF_A_VISIT = 250 * 1024**2
BYTES_OF_ALL = 1000 * 1024**2
TOO_MUCH = "This visit holds as many files as there is room for; remove some, or reload the page."
NO_ROOM = "The server holds as many files as it has room for; try again in a few minutes."


class BoundedUploads:
    """Answers 413 where a visit has its share, and 503 where all visits together have theirs.

    What is on its way counts with the length that it says; one that says none, with the longest.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.on_their_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "PUT" or PATH not in scope["path"]:
            return await self.app(scope, receive, send)
        visit = scope["path"].partition(PATH)[2].partition("/")[0]
        length = _length(Headers(scope=scope))
        held = _held()
        own = held.get(visit, [])
        if (
            len(own) >= FILES_OF_A_VISIT
            or sum(own) + self.on_their_way[visit] + length > BYTES_OF_A_VISIT
        ):
            return await refuse(scope, receive, send, 413, "upload", TOO_MUCH)
        if sum(map(sum, held.values())) + self.on_their_way.total() + length > BYTES_OF_ALL:
            return await refuse(scope, receive, send, 503, "uploads", NO_ROOM)
        self.on_their_way[visit] += length
        try:
            await self.app(scope, receive, send)
        finally:
            self.on_their_way[visit] -= length
            self.on_their_way += Counter()  # without those at zero


def _length(headers: Headers) -> int:
    stated = headers.get("content-length", "")
    if stated.isascii() and stated.isdecimal():
        return int(stated)
    return config.get_option("server.maxUploadSize") * 1024**2


def _held() -> dict[str, list[int]]:
    """The lengths of the files in memory, by visit."""
    files = get_instance().uploaded_file_mgr
    assert isinstance(files, MemoryUploadedFileManager)
    return {
        visit: [len(file.data) for file in list(own.values())]
        for visit, own in list(files.file_storage.items())
    }
