"""A measurement of super-resolution as bytes, to be kept."""

from dataclasses import asdict

from quantlib.evaluation.ledger import Ledger
from quantlib.kept import record
from quantlib.quantizers.sizes import ByteSizes
from quantlib.tasks.super_resolution import Measurement


def to_bytes(measurement: Measurement) -> bytes:
    """The measurement as a record.

    >>> import numpy as np
    >>> rgb = np.zeros((4, 4, 3), np.uint8)
    >>> made = Measurement(rgb, Ledger({"conv": ByteSizes(fp32=32, codes=4)}), 0.25, scale=2)
    >>> again = from_bytes(to_bytes(made))
    >>> again.ledger.total.codes, again.seconds, again.truth is None
    (4, 0.25, True)
    """
    facts = {
        "sites": {name: asdict(sizes) for name, sizes in measurement.ledger.sites.items()},
        "seconds": measurement.seconds,
        "scale": measurement.scale,
        "weights": asdict(measurement.weights),
        "notes": measurement.notes,
    }
    truth = {} if measurement.truth is None else {"truth": measurement.truth}
    return record.to_bytes(facts, {"rgb": measurement.rgb, **truth})


def from_bytes(content: bytes) -> Measurement:
    facts, arrays = record.from_bytes(content)
    return Measurement(
        arrays["rgb"],
        Ledger({name: ByteSizes(**sizes) for name, sizes in facts["sites"].items()}),
        facts["seconds"],
        facts["scale"],
        arrays.get("truth"),
        ByteSizes(**facts["weights"]),
        tuple(facts["notes"]),
    )
