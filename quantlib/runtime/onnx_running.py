"""`--runtime onnx`: networks that Bitlens exported, in ONNX Runtime."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.models.sr_network import SizeRule
from quantlib.runtime.onnx_export import KEY, VERSION

SUFFIX = ".onnx"
INTEGER_CONVOLUTIONS = ("QLinearConv", "ConvInteger")


def runtime_library() -> Any:
    """The package onnxruntime; a QuantlibError where it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise QuantlibError(
            "Running ONNX files needs the package onnxruntime; install it with "
            "`pip install onnxruntime`."
        ) from error
    return onnxruntime


@dataclass(frozen=True, eq=False)
class OnnxNetwork:
    """A network in ONNX Runtime, called like the one it was exported from.

    `scale` is 0 for classifiers; `card` says what the network is called, where it comes from and
    under which licence; `form` is "fp32", "int8" or "rlq".
    """

    session: Any
    form: str
    scale: int
    receptive_radius: int | None
    card: dict[str, Any]
    size_rule: SizeRule

    def __call__(self, picture: Tensor) -> Tensor:
        """`float32 (N, 3, H, W)` in [0, 1] to enlarged pictures or to logits.

        Raises a QuantlibError where ONNX Runtime cannot compute it.
        """
        given = picture.detach().cpu().contiguous().numpy()
        try:
            (result,) = self.session.run(None, {"picture": given})
        except Exception as error:  # as many kinds as there are things that can be wrong
            height, width = picture.shape[-2:]
            raise QuantlibError(
                f"ONNX Runtime cannot run this network on a picture of {width}×{height} pixels; "
                "choose another picture, or --runtime torch."
            ) from error
        return torch.from_numpy(result)


class OnnxModule(nn.Module):
    """The same where a module is asked for."""

    def __init__(self, network: OnnxNetwork) -> None:
        super().__init__()
        self.compute = network

    def forward(self, x: Tensor) -> Tensor:
        return self.compute(x)


def open_onnx(content: bytes, name: str = "This file", threads: int | None = None) -> OnnxNetwork:
    """The network in the bytes of an ONNX file that `export_onnx` wrote.

    `threads` is as many as PyTorch uses where it is not given. Files that are damaged or come from
    elsewhere raise a QuantlibError.
    """
    session = _session(content, name, threads)
    stored = session.get_modelmeta().custom_metadata_map
    if stored.get(KEY) != VERSION:
        raise QuantlibError(
            f"{name} was not exported by Bitlens; run it with --runtime torch, or make such a file "
            "of it with `bitlens export --to onnx`."
        )
    try:
        radius, card = stored["receptive_radius"], json.loads(stored["card"])
        return OnnxNetwork(
            session,
            stored["form"],
            int(stored["scale"]),
            int(radius) if radius else None,
            card,
            SizeRule(**card["size_rule"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise QuantlibError(f"The card of {name} cannot be read; export it again.") from error


def optimised_operators(content: bytes, folder: Path) -> list[str]:
    """What ONNX Runtime makes of a file on this machine: the operators of its optimised graph.

    The graph is written to `folder` for the moment.
    """
    from quantlib.models.graphs.library import onnx_library

    written = folder / "optimised.onnx"
    _session(content, "This file", None, written)
    found = [node.op_type for node in onnx_library().load(written).graph.node]
    written.unlink()
    return found


def profiled_session(content: bytes, prefix: Path) -> Any:
    """A session that notes how long every operator takes, in a file whose name begins so."""
    options = _options(None)
    options.enable_profiling = True
    options.profile_file_prefix = str(prefix)
    return _opened(content, "This file", options)


def _session(content: bytes, name: str, threads: int | None, written: Path | None = None) -> Any:
    options = _options(threads)
    if written is not None:
        options.optimized_model_filepath = str(written)
    return _opened(content, name, options)


def _options(threads: int | None) -> Any:
    options = runtime_library().SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads or torch.get_num_threads()
    return options


def _opened(content: bytes, name: str, options: Any) -> Any:
    try:
        return runtime_library().InferenceSession(
            content, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime has an error of its own for every kind of damage
        raise QuantlibError(
            f"{name} is not a complete ONNX file; export or download it again."
        ) from error
