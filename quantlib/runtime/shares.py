"""Where the time of a pass goes: products, and everything around them."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from quantlib.runtime.onnx_running import profiled_session
from quantlib.runtime.side_by_side import threads

FLOATS, INTEGERS, REST = SHARES = (
    "products in FP32",
    "products of integers",
    "everything between",
)
"""Convolutions and linear layers of both kinds; and quantizing, sums, shuffles, copies, Python."""

_OPERATORS = {
    "aten::mkldnn_convolution": FLOATS,
    "aten::_slow_conv2d_forward": FLOATS,
    "aten::addmm": FLOATS,
    "aten::mm": FLOATS,
    "aten::bmm": FLOATS,
    "aten::baddbmm": FLOATS,
    "aten::_mkl_linear": FLOATS,
    "onednn::qconv2d_pointwise": INTEGERS,
    "onednn::qlinear_pointwise": INTEGERS,
    "Conv": FLOATS,
    "FusedConv": FLOATS,
    "Gemm": FLOATS,
    "MatMul": FLOATS,
    "ConvTranspose": FLOATS,
    "QLinearConv": INTEGERS,
    "ConvInteger": INTEGERS,
    "QGemm": INTEGERS,
    "QLinearMatMul": INTEGERS,
}


def shares_in_pytorch(compute: Callable[[Tensor], object], x: Tensor) -> dict[str, float]:
    """The share of every kind of work in the time of `compute(x)`, by `SHARES`; they sum to 1.

    On one thread, so that nothing is hidden behind something else.

    >>> import torch
    >>> layer = torch.nn.Conv2d(3, 64, 3)
    >>> shares = shares_in_pytorch(layer, torch.rand(1, 3, 64, 64))
    >>> shares["products of integers"], round(sum(shares.values()), 6)
    (0.0, 1.0)
    """
    compute(x)
    with threads(1), profile(activities=[ProfilerActivity.CPU], acc_events=True) as seen:
        compute(x)
    spent = {one.key: one.self_cpu_time_total for one in seen.key_averages()}
    ranges = [event.time_range for event in seen.events() or ()]
    passed = max(one.end for one in ranges) - min(one.start for one in ranges)
    return _shares(spent, passed)


def shares_in_onnx(content: bytes, x: Tensor) -> dict[str, float]:
    """The same for the network in an ONNX file, by ONNX Runtime's own profile."""
    with TemporaryDirectory() as folder:
        session = profiled_session(content, Path(folder) / "pass")
        for _ in range(2):
            session.run(None, {"picture": x.contiguous().numpy()})
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    runs = [one for one in events if one.get("name") == "model_run"]
    last = runs[-1]
    spent: Counter[str] = Counter()
    for one in events:
        if one.get("cat") == "Node" and one["ts"] >= last["ts"]:
            spent[one.get("args", {}).get("op_name", "")] += one["dur"]
    return _shares(spent, last["dur"])


def _shares(spent: Mapping[str, float], total: float) -> dict[str, float]:
    found: dict[str, float] = dict.fromkeys(SHARES, 0.0)
    for name, time in spent.items():
        if name in _OPERATORS:
            found[_OPERATORS[name]] += time / total
    found[REST] = max(0.0, 1 - found[FLOATS] - found[INTEGERS])
    return found
