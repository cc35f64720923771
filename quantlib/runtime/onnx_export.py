"""`export --to onnx`: a network as an ONNX file, in FP32 or with its integers as QDQ has them.

Activations are `uint8`, with zero point 0 where nothing is negative, and weights `int8` with zero
point 0, which is what ONNX Runtime's fast convolution takes; layers with few channels are padded
to the numbers it asks for. Codes of 2 and 4 bits are clipped (QCDQ), their weights stored at their
size. A layer's sums come out as 8-bit codes, as there is no integer convolution that gives FP32.
"""

import json
from collections.abc import Iterable

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.loading import SRNetwork
from quantlib.models.normalised import Normalised
from quantlib.runtime.calibration import value_grids
from quantlib.runtime.fusing import merge_thin_ends
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.integer import shown_to
from quantlib.runtime.lowering import LoweredLayer, fold_batch_norms
from quantlib.runtime.onnx_operators import is_move
from quantlib.runtime.onnx_writing import OnnxWriter, result_of
from quantlib.runtime.tracing import Node, nodes, traced

FORMS = ("fp32", "int8", "rlq")
"""FP32; 8-bit codes everywhere; the codes that RLQ learned, and 8 bits elsewhere."""
KEY, VERSION = "bitlens", "1"
PICTURE = CodeGrid.over(0.0, 1.0)


@torch.no_grad()
def export_onnx(
    network: SRNetwork | Normalised,
    form: str | None = None,
    pictures: Iterable[Tensor] | None = None,
) -> bytes:
    """The ONNX file of `network` as bytes; pictures `(N, 3, height, width)` in [0, 1] go in.

    `form` is one of `FORMS`, by default "rlq" for networks that were trained with it and "int8" for
    others; 8-bit ranges are measured on `pictures`. A super-resolution network gives pictures in
    [0, 1], in integer forms as multiples of 1/255, a classifier gives logits. Raises a
    QuantlibError that names the layer where an operator has no form in ONNX.
    """
    learned = any(hasattr(module, "weight_quantizer") for module in network.modules())
    form = form or ("rlq" if learned else "int8")
    if form not in FORMS:
        raise QuantlibError(f"There is no ONNX form {form!r}; choose {', '.join(FORMS)}.")
    if form in ("fp32", "rlq") and learned != (form == "rlq"):
        raise QuantlibError(
            "RLQ's codes need a network that was trained with it; choose a bundled quantsr "
            "network, or int8."
            if form == "rlq"
            else "This network was trained with few bits; export it as rlq or int8."
        )
    graph = traced(network if isinstance(network, Normalised) else network.network)
    if graph is None:
        raise QuantlibError(
            f"{network.name or 'This network'} cuts its input into windows as it runs, which its "
            "ONNX form cannot follow; export a network of convolutions."
        )
    fold_batch_norms(graph)
    if form != "fp32":
        merge_thin_ends(graph)
    scale = network.scale if isinstance(network, SRNetwork) else 0
    moves, grids = [node for node in nodes(graph) if is_move(node)], {}
    if form != "fp32":
        grids = value_grids(graph, shown_to(network, pictures))
        for node in moves:
            grids[node] = grids[node.args[0]]
        if scale:
            _set_grid(result_of(graph), PICTURE, grids)
    export = OnnxWriter(graph, form, grids, bool(scale))
    return export.model(_metadata(network, form, scale, export.layers)).SerializeToString()


def _metadata(
    network: SRNetwork | Normalised, form: str, scale: int, layers: list[LoweredLayer]
) -> dict[str, str]:
    card = {
        "name": network.name,
        "architecture": network.architecture,
        "source": network.source,
        "licence": network.licence,
        "commit": network.commit,
        "sha256": network.sha256,
        "parameters": network.parameter_count,
        "integer_layers": sum(layer.integer for layer in layers),
        "layers": len(layers),
    }
    radius = getattr(network, "receptive_radius", None)
    return {
        KEY: VERSION,
        "form": form,
        "scale": str(scale),
        "licence": network.licence or "not known",
        "receptive_radius": "" if radius is None else str(radius),
        "card": json.dumps(card),
    }


def _set_grid(node: Node, grid: CodeGrid, grids: dict[Node, CodeGrid]) -> None:
    grids[node] = grid
    if is_move(node):
        _set_grid(node.args[0], grid, grids)
