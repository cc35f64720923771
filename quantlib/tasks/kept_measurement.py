"""A measurement of super-resolution as bytes, to be kept."""

import json
from dataclasses import asdict

import numpy as np
from safetensors import numpy as safetensors

from quantlib.evaluation.ledger import Ledger
from quantlib.quantizers.sizes import ByteSizes
from quantlib.tasks.super_resolution import Measurement

_FACTS = "facts"


def to_bytes(measurement: Measurement) -> bytes:
    """The measurement as a safetensors file.

    >>> rgb = np.zeros((4, 4, 3), np.uint8)
    >>> made = Measurement(rgb, Ledger({"conv": ByteSizes(fp32=32, codes=4)}), 0.25, scale=2)
    >>> again = from_bytes(to_bytes(made))
    >>> again.ledger.total.codes, again.seconds, again.truth is None
    (4, 0.25, True)
    """
    facts = {
        "sites": [[name, asdict(sizes)] for name, sizes in measurement.ledger.sites.items()],
        "seconds": measurement.seconds,
        "scale": measurement.scale,
        "weights": asdict(measurement.weights),
        "notes": measurement.notes,
    }
    arrays = {
        "rgb": np.ascontiguousarray(measurement.rgb),
        _FACTS: np.frombuffer(json.dumps(facts).encode(), np.uint8),
    }
    if measurement.truth is not None:
        arrays["truth"] = np.ascontiguousarray(measurement.truth)
    return safetensors.save(arrays)


def from_bytes(content: bytes) -> Measurement:
    arrays = safetensors.load(content)
    facts = json.loads(arrays[_FACTS].tobytes())
    return Measurement(
        arrays["rgb"],
        Ledger({name: ByteSizes(**sizes) for name, sizes in facts["sites"]}),
        facts["seconds"],
        facts["scale"],
        arrays.get("truth"),
        ByteSizes(**facts["weights"]),
        tuple(facts["notes"]),
    )
