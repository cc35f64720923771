"""What trials measured, and the file that holds it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from quantlib.errors import QuantlibError
from quantlib.files import write_whole


@dataclass(frozen=True)
class Point:
    """What a trial measured.

    `quality` in the unit of the bench, one figure or one per picture; `bits` per activation and
    `bytes` are serialised lengths with all tables and scales; `seconds` is what ranking took.
    """

    bench: str
    method: str
    seed: int
    n: int
    m: int
    r: float
    budget: float
    quality: list[float]
    bits: float
    bytes: int
    fp32_bytes: int
    seconds: float

    @property
    def mean(self) -> float:
        return sum(self.quality) / len(self.quality)


@dataclass
class Results:
    """All points by the key of their trial, and the orders of channels at the paper's bits."""

    points: dict[str, Point] = field(default_factory=dict)
    orders: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> "Results":
        """From a file; none where there is no file yet."""
        if not file.exists():
            return cls()
        try:
            values = json.loads(file.read_text("utf-8"))
            points = {key: Point(**entry) for key, entry in values["points"].items()}
            return cls(points, values.get("orders", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise QuantlibError(
                f"{file} holds no results of an ablation; remove it and measure again."
            ) from error

    def write(self, file: Path) -> None:
        """To `file`, whole or not at all."""
        values = {"points": {k: asdict(p) for k, p in self.points.items()}, "orders": self.orders}
        write_whole(file, (json.dumps(values, separators=(",", ":")) + "\n").encode())
