"""Results that outlive the server, and that servers side by side share.

Only what belongs to nobody is kept: sample pictures, and networks that come with Bitlens or from
the Hub.
"""

from collections.abc import Callable
from typing import TypeVar

from quantlib.caches import own_folder
from quantlib.kept.digest import digest_of, here
from quantlib.kept.store import Store

T = TypeVar("T")
MOST = 512 * 2**20  # bytes
_store: Store | None = None


def keep_results() -> None:
    """From now on; for the start of a server."""
    global _store
    _store = Store(own_folder("results"), MOST)


def kept_or_made(
    what: tuple[object, ...],
    is_public: bool,
    make: Callable[[], T],
    to_bytes: Callable[[T], bytes],
    from_bytes: Callable[[bytes], T],
) -> T:
    """What was made of `what` before, by this code on such a machine, or what `make` gives now.

    What is not public is neither looked for nor kept.
    """
    if _store is None or not is_public:
        return make()
    digest = digest_of(*what, *here())
    if (content := _store.get(digest)) is not None:
        return from_bytes(content)
    made = make()
    _store.put(digest, to_bytes(made))
    return made
