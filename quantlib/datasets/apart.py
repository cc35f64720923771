"""Tables and annotations of strangers, read in a process of its own that hands back arrays."""

from pathlib import Path

import numpy as np

from quantlib.apart.message import Message, Say
from quantlib.apart.running import Limits, Watch, run_apart, unwatched
from quantlib.datasets.annotated import read_annotation
from quantlib.datasets.labelled import LabelledPictures
from quantlib.datasets.reading import MAX_PIXELS_IN_ALL, read_parquet, read_parquet_file
from quantlib.imaging.apart import ADVICE, pixels, raw
from quantlib.imaging.apart import LIMITS as OF_A_PICTURE

LIMITS = Limits(seconds=120, megabytes=1500, answer=4 * MAX_PIXELS_IN_ALL)
FEWER = "choose a smaller table"


def read_parquet_apart(
    content: bytes, name: str, limit: int | None = None, watch: Watch = unwatched
) -> LabelledPictures:
    """The first `limit` pictures, or all, in the bytes of a file, as `read_parquet` reads them."""
    return _labelled(Message({"name": name, "limit": limit}, (content,)), name, watch)


def read_parquet_file_apart(
    path: Path, limit: int | None = None, watch: Watch = unwatched
) -> LabelledPictures:
    """The same of the file at `path`."""
    return _labelled(Message({"path": str(path), "limit": limit}), path.name, watch)


def read_annotation_apart(content: bytes, watch: Watch = unwatched) -> np.ndarray:
    """The class of every pixel, `uint8 (H, W)`, as `read_annotation` reads it."""
    request = Message({}, (content,))
    values, (numbers,) = run_apart(
        annotation, request, OF_A_PICTURE, "The annotation", ADVICE, watch
    )
    return pixels(numbers, *values["shape"])


def _labelled(request: Message, name: str, watch: Watch) -> LabelledPictures:
    values, (rgb, labels) = run_apart(parquet, request, LIMITS, name, FEWER, watch)
    return LabelledPictures(
        pixels(rgb, *values["shape"]),
        pixels(labels, -1, dtype=np.int64),
        tuple(map(str, values["classes"])),
    )


def parquet(request: Message, say: Say) -> Message:
    """What is done apart with a table."""
    values = request.values
    if "path" in values:
        found = read_parquet_file(Path(values["path"]), values["limit"])
    else:
        found = read_parquet(bytes(request.buffers[0]), values["name"], values["limit"])
    shape = {"shape": found.rgb.shape, "classes": found.classes}
    return Message(shape, (raw(found.rgb), raw(found.labels)))


def annotation(request: Message, say: Say) -> Message:
    """What is done apart with an annotation."""
    numbers = read_annotation(bytes(request.buffers[0]))
    return Message({"shape": numbers.shape}, (raw(numbers),))
