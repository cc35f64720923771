"""`export --to onnx`: a network as an ONNX file, in FP32 or with its integers as QDQ has them.

Activations are `uint8`, with zero point 0 where nothing is negative, and weights `int8` with zero
point 0, which is what ONNX Runtime's fast convolution takes; layers with few channels are padded
to the numbers it asks for. Codes of 2 and 4 bits are clipped (QCDQ), their weights stored at their
size. A layer's sums come out as 8-bit codes, as there is no integer convolution that gives FP32.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from quantlib.errors import QuantlibError
from quantlib.models.loading import SRNetwork
from quantlib.models.normalised import Normalised
from quantlib.models.sr_network import SizeRule
from quantlib.runtime.calibration import value_grids
from quantlib.runtime.channel_scales import separate_scales
from quantlib.runtime.forms import BYTES, FORMS, FULL, LEARNED, settings_of
from quantlib.runtime.fusing import merge_thin_ends
from quantlib.runtime.grids import CodeGrid
from quantlib.runtime.integer import shown_to
from quantlib.runtime.lowering import LoweredLayer, fold_batch_norms
from quantlib.runtime.onnx_operators import is_move
from quantlib.runtime.onnx_writing import OnnxWriter, result_of
from quantlib.runtime.tracing import Node, nodes, traced

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
    form = form or (LEARNED if learned else BYTES)
    if form not in FORMS:
        raise QuantlibError(f"There is no ONNX form {form!r}; choose {', '.join(FORMS)}.")
    if form != BYTES and learned != (form == LEARNED):
        raise QuantlibError(
            "RLQ's codes need a network that was trained with it; choose a bundled quantsr "
            "network, or int8."
            if form == LEARNED
            else "This network was trained with few bits; export it as rlq or int8."
        )
    graph = traced(network if isinstance(network, Normalised) else network.network)
    if graph is None:
        raise QuantlibError(
            f"{network.name or 'This network'} cuts its input into windows as it runs, which its "
            "ONNX form cannot follow; export a network of convolutions."
        )
    fold_batch_norms(graph)
    separate_scales(graph)
    if form != FULL:
        merge_thin_ends(graph)
    scale = network.scale if isinstance(network, SRNetwork) else 0
    moves, grids = [node for node in nodes(graph) if is_move(node)], {}
    if form != FULL:
        grids = value_grids(graph, shown_to(network, pictures))
        for node in moves:
            grids[node] = grids[node.args[0]]
        if scale:
            _set_grid(result_of(graph), PICTURE, grids)
    export = OnnxWriter(graph, form, grids, bool(scale))
    card = _card(network, form, export.layers)
    return export.model(_metadata(network, form, scale, card)).SerializeToString()


def _card(network: SRNetwork | Normalised, form: str, layers: list[LoweredLayer]) -> dict[str, Any]:
    bits = min((layer.input_bits for layer in layers if layer.integer), default=8)
    settings = settings_of(form, bits)
    rule = network.size_rule if isinstance(network, SRNetwork) else SizeRule()
    return {
        "name": network.name,
        "architecture": network.architecture,
        "source": network.source,
        "licence": network.licence,
        "commit": network.commit,
        "sha256": network.sha256,
        "parameters": network.parameter_count,
        "integer_layers": sum(layer.integer for layer in layers),
        "layers": len(layers),
        "settings": {"method": settings.method, "bits": settings.bits},
        "size_rule": asdict(rule),
    }


def _metadata(
    network: SRNetwork | Normalised, form: str, scale: int, card: dict[str, Any]
) -> dict[str, str]:
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
