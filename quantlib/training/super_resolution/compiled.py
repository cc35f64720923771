"""The forward and backward passes of a long training run, as fast as the machine does them."""

import ctypes
import sys

from quantlib.models.architectures.edsr import EDSR
from quantlib.qat.depth import DepthDynamic
from quantlib.qat.fused import compiled

WORTH_COMPILING = 500  # steps; compiling takes as long as 100 of them
STAGE = 4  # blocks
OPTIONS = {"cpp.enable_floating_point_contract_flag": "fast"}
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # of glibc's mallopt


def passes(network: DepthDynamic, steps: int) -> DepthDynamic:
    """`network`, weights shared, for inputs of one shape; compiled where `steps` make up for it.

    The body is compiled in stages of some blocks. They look alike, so the first one's code serves
    all; compiling single blocks would leave much of the calls' overhead, the whole body takes long.
    Only an EDSR is: of a SwinIR's steps compiling saves too little for the time it takes.

    >>> [len(stage) for stage in passes(EDSR(2, features=8, blocks=16), steps=1000).body]
    [4, 4, 4, 4, 1]
    """
    if steps < WORTH_COMPILING or not isinstance(network, EDSR):
        return network
    body = network.body
    stages = [body[first : first + STAGE] for first in range(0, len(body), STAGE)]
    for stage in stages:
        stage.forward = compiled(stage.forward, dynamic=False, options=OPTIONS)
    return network.with_body(*stages)


def keep_freed_memory() -> None:
    """Lets glibc keep what is freed: the next step asks for the same, and getting it anew is slow.

    It holds for the process from now on. Other C libraries are left as they are.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(MMAP_THRESHOLD, 2**25)
