"""From the name of a network to the file with its weights, and where it comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from quantlib.errors import QuantlibError
from quantlib.models import catalogue
from quantlib.models.checkpoint import SUFFIXES, missing_names, sha256


@dataclass(frozen=True)
class Source:
    """A checkpoint file on this machine: `name` as it was asked for, `source` file or repository.

    `licence` is None where it is not known, `commit` where the file is not from the Hub.
    """

    path: Path
    name: str
    source: str
    licence: str | None = None
    commit: str | None = None

    def mark(self, network: nn.Module) -> None:
        """Write on `network` what it is called, where it comes from and the SHA-256 of its file."""
        network.name, network.source = self.name, self.source  # type: ignore[assignment]
        network.licence, network.commit = self.licence, self.commit  # type: ignore[assignment]
        network.sha256 = sha256(self.path)  # type: ignore[assignment]


def locate(name: str) -> Source:
    """The file of `builtin:NAME`, `hub:OWNER/NAME[@REVISION][:FILE]` or a local path.

    Hub files are downloaded to the cache of `huggingface_hub`. Raises a `QuantlibError` for a name
    that is none of the three, a network that does not exist, and a download that fails.

    >>> locate("nets/small.pth").source
    'nets/small.pth'
    """
    if name.startswith("builtin:"):
        return _bundled(name)
    if name.startswith("hub:"):
        return _from_hub(name)
    if not name.lower().endswith(SUFFIXES):
        raise QuantlibError(
            f"{name!r} does not name a network; write builtin:NAME, hub:OWNER/NAME or the path of "
            f"a file that ends in {', '.join(SUFFIXES)}."
        )
    path = Path(name).expanduser()
    return Source(path, name, source=str(path))


def _bundled(name: str) -> Source:
    entry = next((e for e in catalogue.every_bundled() if e.name == name), None)
    if entry is None:
        names = ", ".join(e.name for e in catalogue.every_bundled()) or "none in this installation"
        raise QuantlibError(
            f"There is no bundled network {name!r}; the bundled networks are {names}."
        )
    path = catalogue.WEIGHTS_FOLDER / f"{name.removeprefix('builtin:')}.safetensors"
    return Source(path, name, entry.source, entry.licence)


def _from_hub(name: str) -> Source:
    from quantlib.models import hub

    reference = hub.HubReference.parse(name)
    entry = catalogue.find(name)
    if entry is not None:
        reference = hub.HubReference.parse(entry.name)
    received = hub.fetch(reference)
    return Source(
        received.path,
        str(reference),
        source=f"{received.repository}@{received.commit}:{received.file}",
        licence=(entry.licence if entry else None) or received.licence,
        commit=received.commit,
    )


@contextmanager
def explained(file: str, recognised: str) -> Iterator[None]:
    """Turns what goes wrong while a network is made of the weights in `file` into one sentence.

    >>> with explained("net.pth", "EDSR"):
    ...     _ = {}["conv.weight"]
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: net.pth lacks conv.weight; choose a complete checkpoint.
    """
    try:
        yield
    except QuantlibError:
        raise
    except Exception as error:  # hyper-parameters that do not fit surface as any kind of error
        missing = missing_names(error) or (
            [str(error.args[0])] if isinstance(error, KeyError) else []
        )
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            raise QuantlibError(
                f"{file} lacks {', '.join(missing[:3])}{more}; choose a complete checkpoint."
            ) from error
        raise QuantlibError(
            f"The weights in {file} do not fit together; recognised are {recognised}."
        ) from error
