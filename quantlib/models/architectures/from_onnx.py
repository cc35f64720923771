"""Networks that come as ONNX: everything that no other file here knows by its weights."""

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
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

ALIKE = 1e-4  # between one pass and several, of values from 0 to 1


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
    network.batches = _takes_batches(network, rule.minimum)
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
def _takes_batches(network: OnnxNetwork, side: int) -> bool:
    """Whether two pictures in one pass give what each gives by itself."""
    pictures = torch.linspace(0, 1, 2 * 3 * side * side).reshape(2, 3, side, side)
    each = torch.cat([network.run(one) for one in pictures.split(1)])
    try:
        both: Tensor = network.run(pictures)
    except QuantlibError:
        return False
    return both.shape == each.shape and torch.allclose(both, each, ALIKE, ALIKE)


ARCHITECTURE = Architecture(
    "ONNX",
    SUPER_RESOLUTION,
    recognises,
    build,
    recognised="networks exported as ONNX",
)
