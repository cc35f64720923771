"""Networks that come as ONNX: everything that no other file here knows by its weights."""

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.imaging.samples import load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.models.allocation import ClaimError
from quantlib.models.architecture import Architecture, Weights
from quantlib.models.card import SUPER_RESOLUTION
from quantlib.models.checkpoint import GRAPH, Checkpoint
from quantlib.models.graphs.network import OnnxNetwork
from quantlib.models.graphs.node import UnsupportedError
from quantlib.models.graphs.planning import Planning
from quantlib.models.graphs.probing import probe
from quantlib.models.graphs.reading import Graph, read_graph
from quantlib.models.sr_network import SRNetwork, require_rgb

SAMPLE, SIDE = "cat", 48
ALIKE = 1e-4
"""Between one pass and several, of values from 0 to 1."""
UNLIKE = 0.5
"""In deviations of a part of the result, when more of the picture is seen below and beside it."""


def recognises(weights: Weights) -> bool:
    """Whether there is a graph beside the weights, or in their place."""
    graph = weights.get(GRAPH)
    return graph is not None and graph.dtype == torch.uint8 and graph.dim() == 1


def build(checkpoint: Checkpoint) -> SRNetwork:
    """The network of an ONNX file, or of one that was adapted: its graph with weights beside it."""
    file = checkpoint.name
    weights = dict(checkpoint.weights)
    graph = read_graph(weights.pop(GRAPH).numpy().tobytes(), file)
    if graph.channels not in (0, 3):
        require_rgb(graph.channels, graph.channels, file)
    network = _network(graph, file, blank=bool(weights))
    if weights:
        network.load_state_dict({**weights, GRAPH: network.onnx_graph})
    for name, parameter in network.named_parameters():
        if not parameter.isfinite().all():
            raise QuantlibError(
                f"{file} holds values in {name} that are not finite numbers; choose another "
                "checkpoint."
            )
    scale, rule = probe(network, file, graph.sides)
    return SRNetwork(network, "ONNX", scale, size_rule=rule)


def _network(graph: Graph, file: str, blank: bool) -> OnnxNetwork:
    try:
        planning = Planning(graph, file, blank)
    except UnsupportedError as error:
        raise QuantlibError(
            f"{file} uses {error}, which is not supported; export the network without it."
        ) from error
    except (QuantlibError, ClaimError):
        raise
    except Exception as error:  # a graph that does not fit together fails in every way
        raise QuantlibError(
            f"The graph in {file} does not fit together; export it again."
        ) from error
    rest = torch.frombuffer(bytearray(graph.without(planning.absorbed)), dtype=torch.uint8)
    return OnnxNetwork(planning.plan, planning.layers, planning.weights, rest)


@torch.no_grad()
def verify(network: SRNetwork, file: str) -> None:
    """Finds whether several pictures may pass at once; refuses what was exported for one size.

    Such a graph may run on larger pictures, too, and put their parts in wrong places.
    """
    inside, rule = network.network, network.size_rule
    assert isinstance(inside, OnnxNetwork)
    side = -(-max(rule.minimum, SIDE) // rule.multiple) * rule.multiple
    photograph = to_tensor(load_sample(SAMPLE, 2 * side).rgb)
    large = photograph[..., : 2 * side, : side + rule.multiple]
    small = large[..., :side, :side].contiguous()
    end = network.scale * side // 2  # what lies beyond is too near to the end of the small one
    whole, part = (inside.run(x)[..., :end, :end] for x in (large.contiguous(), small))
    if (whole - part).abs().mean() > UNLIKE * part.std():
        raise QuantlibError(
            f"{file} was exported for pictures of one size and mixes up the parts of others; "
            "export it with dynamic height and width."
        )
    inside.batches = _takes_batches(inside, small)


def _takes_batches(network: OnnxNetwork, picture: Tensor) -> bool:
    """Whether two pictures in one pass give what each gives by itself."""
    pictures = torch.cat([picture, picture.flip(3)])
    each = torch.cat([network.run(one) for one in pictures.split(1)])
    try:
        both = network.run(pictures)
    except QuantlibError:
        return False
    return both.shape == each.shape and torch.allclose(both, each, ALIKE, ALIKE)


ARCHITECTURE = Architecture(
    "ONNX",
    SUPER_RESOLUTION,
    recognises,
    build,
    verify,
    recognised="networks exported as ONNX",
)
