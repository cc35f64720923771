"""Which settings have true integers, and what ONNX files call the forms that networks take."""

from quantlib.errors import QuantlibError
from quantlib.ptq import Settings
from quantlib.ptq.methods import METHODS, Method
from quantlib.ptq.parameters import PARAMETERS

FULL, BYTES, LEARNED = FORMS = ("fp32", "int8", "rlq")
"""FP32; 8-bit codes everywhere; the codes that RLQ learned, and 8 bits elsewhere."""


def onnx_form(settings: Settings) -> str:
    """The form of networks with `settings`; a QuantlibError where there is none.

    >>> onnx_form(Settings("rlq", 2)), onnx_form(Settings("direct", 8))
    ('rlq', 'int8')
    """
    if settings.entry.quantizes:
        require_integers(settings)
    return _form_of(settings.entry)


def settings_of(form: str, bits: int) -> Settings:
    """The settings whose form it is.

    >>> settings_of("rlq", 2).summary
    '2-bit RLQ'
    """
    return Settings(next(name for name, one in METHODS.items() if _form_of(one) == form), bits)


def _form_of(entry: Method) -> str:
    if not entry.quantizes:
        return FULL
    if not entry.integer_bits:
        return ""
    return LEARNED if entry.learned else BYTES


def require_integers(settings: Settings) -> None:
    """A QuantlibError where a method does not run as integers, which names those that do.

    >>> require_integers(Settings("pot", 3))
    Traceback (most recent call last):
    quantlib.errors.QuantlibError: 3-bit power-of-two has no integers; choose direct with 8 bits, \
rlq with 2 to 8 bits, or --runtime torch.
    """
    if settings.bits not in settings.entry.integer_bits:
        have = [
            f"{name} with {_from_to(one.integer_bits)} bits"
            for name, one in METHODS.items()
            if one.integer_bits
        ]
        raise QuantlibError(
            f"{settings.summary} has no integers; choose {', '.join(have)}, or --runtime torch."
        )
    if settings.changes:
        named = " and ".join(PARAMETERS[name].option for name in settings.changes)
        raise QuantlibError(
            f"Integers take every range from its smallest to its largest value; leave {named} out."
        )


def _from_to(bits: tuple[int, ...]) -> str:
    return f"{min(bits)} to {max(bits)}" if len(bits) > 1 else str(*bits)
