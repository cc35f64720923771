"""`make adapt`: PAN ×2 at W4A4, adapted on demand, on Set5 against min-max and FP32."""

import sys
import time
from pathlib import Path

from quantlib.models import load
from quantlib.qat.adapting.adapt import adapt
from quantlib.qat.scheme import Scheme
from quantlib.tasks.super_resolution import adaptation_pictures
from tests.qat.adapting.test_adapt import minmax, set5

if __name__ == "__main__":
    data = Path(sys.argv[1])
    network, shown = load(str(data / "weights" / "PANx2_DF2K.pth")), adaptation_pictures(2)
    started = time.perf_counter()
    adapted = adapt(network, shown)
    seconds = time.perf_counter() - started
    plain = minmax(network, Scheme("lsq", 4, 4), shown, list(adapted.quantized))
    for name, one in (("FP32", network), ("min-max", plain), ("RLQ on demand", adapted.network)):
        sys.stdout.write(f"{name:14} {set5(one, data):.3f} dB\n")
    sys.stdout.write(f"{adapted.steps} steps, {seconds:.0f} s, {adapted.coverage}, W4A4\n")
