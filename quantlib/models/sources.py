"""From the name of a network to the file with its weights, and where it comes from."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from quantlib.errors import QuantlibError
from quantlib.models import catalogue
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.normalised import Normalised
from quantlib.models.sr_network import SRNetwork
from quantlib.models.suffixes import ONNX, PROGRAM, SUFFIXES, require_suffix

if TYPE_CHECKING:
    from quantlib.models.hub import HubFile, HubReference

CONFIG = "config.json"


@dataclass(frozen=True)
class Origin:
    """Where a network comes from: `name` as it was asked for, `source` file or repository.

    `licence` is None where it is not known, `commit` where the file is not from the Hub. `bits` of
    weights and activations are what `?bits=` at the end of the name states.
    """

    name: str
    source: str
    licence: str | None = None
    commit: str | None = None
    bits: tuple[int, int] | None = None

    @classmethod
    def of(cls, file: "str | Origin") -> "Origin":
        """That of a file of this name, unless it is known."""
        return cls(file, file) if isinstance(file, str) else file

    def mark(self, network: SRNetwork | Normalised, checkpoint: Checkpoint) -> None:
        """Writes on `network` what it is called, where it comes from, and what of its file."""
        network.name, network.source = self.name, self.source
        network.licence, network.commit = self.licence, self.commit
        network.sha256 = checkpoint.sha256
        network.notes = (*checkpoint.notes, *network.notes)


@dataclass(frozen=True)
class Source(Origin):
    """A checkpoint file on this machine, and where it comes from.

    `config` is a file that says how pictures are prepared for the network.
    """

    path: Path = field(kw_only=True)
    config: Path | None = field(default=None, kw_only=True)


Fetch = Callable[["HubReference"], "HubFile"]


def locate(name: str, fetch: Fetch | None = None, with_config: bool = False) -> Source:
    """The file of `builtin:NAME`, `hub:OWNER/NAME[@REVISION][:FILE]` or a local path.

    `?bits=2` or, for weights and activations, `?bits=2,4` may follow. Hub files are downloaded to
    the cache of `huggingface_hub`, by `fetch` if it is given; `with_config` a `config.json` beside
    the weights is looked for too. Raises a `QuantlibError` for a name that is none of the three, a
    network that does not exist, and a download that fails.

    >>> locate("nets/small.pth").source, locate("nets/small.pth?bits=2").bits
    ('nets/small.pth', (2, 2))
    """
    plain, question, asked = name.rpartition("?")
    if not question or "=" not in asked:
        return _locate(name, fetch, with_config)
    stated = re.fullmatch(r"bits=(\d{1,2})(?:,(\d{1,2}))?", asked)
    if stated is None:
        raise QuantlibError(
            f"{name!r} ends in ?{asked}, which says nothing of a network; write ?bits=2, or "
            "?bits=2,4 for weights and activations."
        )
    found = _locate(plain, fetch, with_config)
    bits = int(stated[1]), int(stated[2] or stated[1])
    return replace(found, name=f"{found.name}?{asked}", bits=bits)


def _locate(name: str, fetch: Fetch | None, with_config: bool) -> Source:
    if name.startswith("builtin:"):
        return _bundled(name)
    if name.startswith("hub:"):
        return _from_hub(name, fetch, with_config)
    if not name.lower().endswith((*SUFFIXES, ONNX, PROGRAM)):
        raise QuantlibError(
            f"{name!r} does not name a network; write builtin:NAME, hub:OWNER/NAME or the path of "
            f"a file that ends in {', '.join((*SUFFIXES, ONNX))}."
        )
    require_suffix(name)
    path = Path(name).expanduser()
    config = path.with_name(CONFIG) if with_config else None
    return Source(
        name, str(path), path=path, config=config if config and config.is_file() else None
    )


def _bundled(name: str) -> Source:
    entry = next((e for e in catalogue.every_bundled() if e.name == name), None)
    if entry is None:
        names = ", ".join(e.name for e in catalogue.every_bundled()) or "none in this installation"
        raise QuantlibError(
            f"There is no bundled network {name!r}; the bundled networks are {names}."
        )
    path = catalogue.WEIGHTS_FOLDER / f"{name.removeprefix('builtin:')}.safetensors"
    return Source(name, entry.source, entry.licence, path=path)


def _from_hub(name: str, fetch: Fetch | None, with_config: bool) -> Source:
    from quantlib.models import hub

    fetch = fetch or hub.fetch
    reference = hub.HubReference.parse(name)
    entry = catalogue.find(name)
    if entry is not None:
        reference = hub.HubReference.parse(entry.name)
    received = fetch(reference)
    config = None
    if with_config:
        beside = hub.HubReference(received.repository, received.commit, CONFIG)
        with suppress(QuantlibError):  # many repositories have none
            config = fetch(beside).path
    return Source(
        str(reference),
        f"{received.repository}@{received.commit}:{received.file}",
        (entry.licence if entry else None) or received.licence,
        received.commit,
        path=received.path,
        config=config,
    )
