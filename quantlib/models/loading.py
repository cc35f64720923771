"""One way to every network: a name goes in, a super-resolution network comes out."""

from dataclasses import replace
from typing import BinaryIO

from quantlib.errors import QuantlibError
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checking import check
from quantlib.models.checkpoint import Checkpoint
from quantlib.models.files import read_checkpoint_file
from quantlib.models.recognition import explained, recognise
from quantlib.models.sources import Origin, locate
from quantlib.models.sr_network import SRNetwork
from quantlib.qat.layers import packing


def load(name: str) -> SRNetwork:
    """The network called `builtin:NAME` or `hub:OWNER/NAME[@REVISION][:FILE]`, or a local file.

    The shelf in `quantlib.models.architectures` says what is recognised. Scale, width and depth are
    read from the weights; PAN ×3 also needs `3x` or `x3` in the name of its file. Released files of
    QuantSR-C say their bits nowhere: `?bits=2` at the end of the name does, or `2bit` or `w2a4` in
    that of the file, else they are taken for 4. What was guessed, chosen or looks wrong is in the
    network's `notes`. Hub files are kept in the cache of `huggingface_hub`.

    Everything that can go wrong with a name, a download or a checkpoint raises a `QuantlibError`.

    >>> import tempfile, torch
    >>> from quantlib.models.architectures.edsr import EDSR
    >>> path = f"{tempfile.mkdtemp()}/small.pth"
    >>> torch.save(EDSR(scale=2, features=4, blocks=1).state_dict(), path)
    >>> network = load(path)
    >>> network.architecture, network.scale, network(torch.zeros(1, 3, 5, 7)).shape
    ('EDSR', 2, torch.Size([1, 3, 10, 14]))
    """
    source = locate(name)
    return _network(read_checkpoint_file(source.path), source)


def read_network(file: bytes | BinaryIO | Checkpoint, name: str | Origin) -> SRNetwork:
    """The network in the bytes of a checkpoint file, or in an open one, that is called `name`.

    The checkpoint may have been read already, and its origin be known.
    """
    origin = Origin.of(name)
    return _network(Checkpoint.read(file, origin.name), origin)


def _network(checkpoint: Checkpoint, origin: Origin) -> SRNetwork:
    if origin.bits and packing.KEY in checkpoint.metadata:
        raise QuantlibError(f"{checkpoint.name} states its bits itself; leave ?bits= out.")
    plain = replace(checkpoint, weights=packing.float_state(checkpoint.weights), bits=origin.bits)
    network = recognise(plain, SUPER_RESOLUTION)
    assert isinstance(network, SRNetwork)
    if packing.KEY in checkpoint.metadata:
        packing.restore(network.network, checkpoint.weights, checkpoint.metadata)
        network.requires_grad_(False).eval()
    with explained(checkpoint.name, SUPER_RESOLUTION):
        network.notes = (*network.notes, *check(network, network.scale, checkpoint.name))
    origin.mark(network, checkpoint)
    return network
