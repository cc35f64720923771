"""Visitors who come at the same moment."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.load.visitor import Address, Visit, visit


def together(server: str, addresses: Sequence[Address], seconds: float = 300) -> list[Visit]:
    """One visitor for each address, all at once."""
    ready = threading.Barrier(len(addresses))

    def come(address: Address) -> Visit:
        ready.wait()
        return visit(server, address, seconds)

    with ThreadPoolExecutor(len(addresses)) as crowd:
        return list(crowd.map(come, addresses))
