"""LSQ, Learned Step Size Quantization (Esser et al., ICLR 2020)."""

from quantlib.qat.rlq import RLQ


class LSQ(RLQ):
    """The learned step alone: no shift, and rounding passes the gradient straight through.

    It is the limit k → 0 of RLQ without τ.
    """

    method = "lsq"

    def __init__(self, bits: int, signed: bool | None = True) -> None:
        super().__init__(bits, signed, k=0.0)
