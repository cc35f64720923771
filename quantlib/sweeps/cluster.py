"""A Dask cluster as an engine: workers on other machines, found through their scheduler."""

import asyncio
import logging
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from typing import Any

from quantlib.errors import QuantlibError
from quantlib.sweeps.engines import on_one_thread
from quantlib.sweeps.versions import Versions, versions

VARIABLE = "BITLENS_SCHEDULER"
PATIENCE = 15  # seconds until a scheduler that does not answer is given up


class Cluster:
    """The workers of the scheduler at `address`, such as tcp://10.0.0.5:8786.

    Raises a QuantlibError where nobody answers, and where scheduler or workers have other versions
    of what computes. Workers may come and go while the sweep lasts.
    """

    def __init__(
        self,
        address: str,
        patience: float | None = None,
        remark: Callable[[str], None] = lambda note: None,
    ) -> None:
        self.address, self.remark = address, remark
        self.patience = PATIENCE if patience is None else patience
        self._stack = ExitStack()

    @property
    def losses(self) -> tuple[type[BaseException], ...]:
        return (CancelledError, _distributed().KilledWorker)

    def why(self, loss: BaseException) -> str:
        if isinstance(loss, CancelledError):
            return (
                f"The scheduler at {self.address} is gone; what is done is kept. Start it and its "
                "workers anew, and give the same command again."
            )
        return (
            f"One piece of work ended every worker that tried it ({loss}); look for memory in the "
            "workers' logs. What is done is kept."
        )

    def submit(self, work: Callable[..., Any], /, *given: Any) -> Future[Any]:
        return self._executor.submit(_remote, work, *given)

    def as_completed(self, futures: Iterable[Future[Any]]) -> Iterator[Future[Any]]:
        return as_completed(futures)

    def __enter__(self) -> "Cluster":
        distributed = _distributed()
        _silence()
        with ExitStack() as stack:
            client = stack.enter_context(self._connected(distributed))
            self._require_same(client)
            self._executor = client.get_executor(pure=False)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def _connected(self, distributed: Any) -> Any:
        """The client. The scheduler is greeted before: a client that nobody answers never ends."""
        try:
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, _greet(self.address, self.patience)).result()
            return distributed.Client(self.address, timeout=self.patience, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise QuantlibError(
                f"No Dask scheduler answers at {self.address}; start one with `dask scheduler`, "
                "and give its address as it prints it, such as tcp://10.0.0.5:8786."
            ) from error

    def _require_same(self, client: Any) -> None:
        try:
            client.run_on_scheduler(versions)
        except (ImportError, AttributeError) as error:
            raise QuantlibError(_without_bitlens("The scheduler", error)) from error
        found: Mapping[str, Versions | BaseException] = client.run(versions, on_error="return")
        for address, there in found.items():
            where = f"The worker {address}"
            if isinstance(there, BaseException):
                raise QuantlibError(_without_bitlens(where, there)) from there
            versions().require_same(there, where)
        if not found:
            self.remark(f"{self.address} has no workers yet; the sweep begins with the first.")


def chosen_scheduler(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """The address that was given, or that the environment names; empty where neither does.

    >>> chosen_scheduler(None, {"BITLENS_SCHEDULER": "tcp://10.0.0.5:8786"})
    'tcp://10.0.0.5:8786'
    """
    return given or environment.get(VARIABLE, "")


async def _greet(address: str, patience: float) -> None:
    """Raises OSError where no scheduler answers, ValueError for what is no address."""
    from distributed.comm.core import connect
    from distributed.security import Security

    arguments = Security().get_connection_args("client")
    comm = await asyncio.wait_for(connect(address, timeout=patience, **arguments), patience)
    comm.abort()


def _remote(work: Callable[..., Any], *given: Any) -> Any:
    on_one_thread()
    return work(*given)


def _without_bitlens(where: str, error: BaseException) -> str:
    return f"{where} has no Bitlens of this version ({error}); install the same there."


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise QuantlibError(
            "A cluster needs Dask, which is not installed; install it with "
            "`pip install 'bitlens[cluster]'`."
        ) from None
    return distributed


def _silence() -> None:
    """Dask's own words on what is told in one sentence here."""
    from distributed.versions import VersionMismatchWarning

    warnings.simplefilter("ignore", VersionMismatchWarning)
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
