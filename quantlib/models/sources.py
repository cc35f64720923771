"""From the name of a network to the file with its weights, and where it comes from."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from quantlib.errors import QuantlibError
from quantlib.models import catalogue
from quantlib.models.checkpoint import ONNX, PROGRAM, SUFFIXES, Checkpoint, require_suffix
from quantlib.models.normalised import Normalised
from quantlib.models.sr_network import SRNetwork


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

    def mark(self, network: SRNetwork | Normalised, checkpoint: Checkpoint) -> None:
        """Writes on `network` what it is called, where it comes from, and what of its file."""
        network.name, network.source = self.name, self.source
        network.licence, network.commit = self.licence, self.commit
        network.sha256 = checkpoint.sha256
        network.notes = (*checkpoint.notes, *network.notes)


@dataclass(frozen=True)
class Source(Origin):
    """A checkpoint file on this machine, and where it comes from."""

    path: Path = field(kw_only=True)


def locate(name: str) -> Source:
    """The file of `builtin:NAME`, `hub:OWNER/NAME[@REVISION][:FILE]` or a local path.

    `?bits=2` or, for weights and activations, `?bits=2,4` may follow. Hub files are downloaded to
    the cache of `huggingface_hub`. Raises a `QuantlibError` for a name that is none of the three, a
    network that does not exist, and a download that fails.

    >>> locate("nets/small.pth").source, locate("nets/small.pth?bits=2").bits
    ('nets/small.pth', (2, 2))
    """
    plain, question, asked = name.rpartition("?")
    if not question or "=" not in asked:
        return _locate(name)
    stated = re.fullmatch(r"bits=(\d{1,2})(?:,(\d{1,2}))?", asked)
    if stated is None:
        raise QuantlibError(
            f"{name!r} ends in ?{asked}, which says nothing of a network; write ?bits=2, or "
            "?bits=2,4 for weights and activations."
        )
    found = _locate(plain)
    bits = int(stated[1]), int(stated[2] or stated[1])
    return replace(found, name=f"{found.name}?{asked}", bits=bits)


def _locate(name: str) -> Source:
    if name.startswith("builtin:"):
        return _bundled(name)
    if name.startswith("hub:"):
        return _from_hub(name)
    if not name.lower().endswith((*SUFFIXES, ONNX, PROGRAM)):
        raise QuantlibError(
            f"{name!r} does not name a network; write builtin:NAME, hub:OWNER/NAME or the path of "
            f"a file that ends in {', '.join((*SUFFIXES, ONNX))}."
        )
    require_suffix(name)
    path = Path(name).expanduser()
    return Source(name, str(path), path=path)


def _bundled(name: str) -> Source:
    entry = next((e for e in catalogue.every_bundled() if e.name == name), None)
    if entry is None:
        names = ", ".join(e.name for e in catalogue.every_bundled()) or "none in this installation"
        raise QuantlibError(
            f"There is no bundled network {name!r}; the bundled networks are {names}."
        )
    path = catalogue.WEIGHTS_FOLDER / f"{name.removeprefix('builtin:')}.safetensors"
    return Source(name, entry.source, entry.licence, path=path)


def _from_hub(name: str) -> Source:
    from quantlib.models import hub

    reference = hub.HubReference.parse(name)
    entry = catalogue.find(name)
    if entry is not None:
        reference = hub.HubReference.parse(entry.name)
    received = hub.fetch(reference)
    return Source(
        str(reference),
        f"{received.repository}@{received.commit}:{received.file}",
        (entry.licence if entry else None) or received.licence,
        received.commit,
        path=received.path,
    )
