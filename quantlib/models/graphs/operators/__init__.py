"""The table of operators: what ONNX calls it, and what PyTorch does."""

from quantlib.models.graphs.operators.elementwise import ELEMENTWISE
from quantlib.models.graphs.operators.normalising import NORMALISING
from quantlib.models.graphs.operators.operator import Operator
from quantlib.models.graphs.operators.pooling import POOLING
from quantlib.models.graphs.operators.resizing import RESIZING
from quantlib.models.graphs.operators.shaping import SHAPING

OPERATORS: dict[str, Operator] = {
    **ELEMENTWISE,
    **NORMALISING,
    **POOLING,
    **RESIZING,
    **SHAPING,
}
