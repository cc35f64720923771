"""The test pictures of CIFAR-10 (Krizhevsky, 2009) from the Hub."""

from quantlib.datasets import LabelledPictures
from quantlib.datasets.reading import read_parquet_file
from quantlib.errors import QuantlibError
from quantlib.models import hub

REPOSITORY = "uoft-cs/cifar10"
FILES = {
    "test": "plain_text/test-00000-of-00001.parquet",
    "train": "plain_text/train-00000-of-00001.parquet",
}


def cifar10(split: str = "test", limit: int | None = None) -> LabelledPictures:
    """The first `limit` pictures, or all, of "test" (10,000) or "train" (50,000).

    Downloaded once, to the cache of `huggingface_hub`. Raises a `QuantlibError` where the Hub
    cannot be reached, pyarrow is missing, or there is no such split.
    """
    return read_parquet_file(hub.fetch(reference_to(split)).path, limit)


def reference_to(split: str) -> hub.HubReference:
    """The file of "test" or "train"; a `QuantlibError` for any other split."""
    if split not in FILES:
        raise QuantlibError(f"CIFAR-10 has no split {split!r}; choose {' or '.join(FILES)}.")
    return hub.HubReference(REPOSITORY, file=FILES[split], kind="dataset")
