"""From a person's choices to a measured result: what the command line and the pages both call."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from quantlib.errors import QuantlibError
from quantlib.evaluation.ledger import Ledger, weight_sizes
from quantlib.evaluation.perceptual import lpips
from quantlib.evaluation.quality import left_out, psnr_rgb, psnr_y, ssim_y
from quantlib.imaging.resizing import downscale, shrunk
from quantlib.imaging.samples import PHOTOGRAPHS, calibration_pictures, load_sample
from quantlib.imaging.tensors import to_tensor
from quantlib.importance.pairs import Pair, pairs_from
from quantlib.importance.preparing import prepare, steps_for
from quantlib.models import SRNetwork, load
from quantlib.models.catalogue import rlq_names, rlq_twin
from quantlib.ptq import QuantizedNetwork, Settings, SiteNetwork, methods
from quantlib.qat.layers.release import with_free_inputs
from quantlib.qat.scheme import quantized_layers
from quantlib.quantizers.sizes import ByteSizes
from quantlib.runtime.onnx_file import OnnxFile
from quantlib.tasks.budget import within_budget
from quantlib.tasks.tiles import enlarged, some_tiles

__all__ = [
    "Measurement",
    "adaptation_pictures",
    "check_pair",
    "default_pairs",
    "in_form",
    "measure",
    "open_network",
    "prepare",
    "reduced",
    "reductions",
    "sample_for",
    "sites_of",
    "steps_for",
    "trained_bits",
]

INPUT_SIDE = 128


@dataclass(frozen=True, eq=False)
class Measurement:
    """One picture through one quantized network.

    `rgb` is the result and `truth` the original if it is known, `uint8 (S·H, S·W, 3)`, both cut to
    what they share, which `notes` says; `ledger` counts the activations, `weights` the weights;
    `seconds` is the time of the pass, which is simulated unless the network stands at a runtime.
    """

    rgb: np.ndarray
    ledger: Ledger
    seconds: float
    scale: int
    truth: np.ndarray | None = None
    weights: ByteSizes = field(default_factory=ByteSizes)
    notes: tuple[str, ...] = ()

    @cached_property
    def psnr_y(self) -> float | None:
        """PSNR in dB by the stated convention, None where the truth is not known."""
        return None if self.truth is None else psnr_y(self.rgb, self.truth, self.scale)

    @cached_property
    def ssim_y(self) -> float | None:
        """SSIM by the stated convention, None where the truth is not known."""
        return None if self.truth is None else ssim_y(self.rgb, self.truth, self.scale)

    @cached_property
    def psnr_rgb(self) -> float | None:
        """PSNR in dB over R, G and B, None where the truth is not known."""
        return None if self.truth is None else psnr_rgb(self.rgb, self.truth, self.scale)

    @cached_property
    def lpips(self) -> float | None:
        """LPIPS, None where the truth is not known or the measure is not here."""
        return None if self.truth is None else lpips(self.rgb, self.truth, self.scale)

    @property
    def left_out(self) -> str:
        """Why a mean over pictures is taken without this one; empty where it counts."""
        return "" if self.truth is None else left_out(self.rgb, self.truth, self.scale)


def open_network(name: str, settings: Settings) -> SRNetwork:
    """The network `name` as `settings` need it, at their depth."""
    return in_form(load(name), settings)


def in_form(network: SRNetwork, settings: Settings) -> SRNetwork:
    """`network` as `settings` need it, at their depth.

    For RLQ it is the network itself if it was trained with it, else the bundled QuantSR network
    of its size; a QuantlibError where there is neither.
    """
    name = network.name
    if settings.entry.learned and not network.is_quantized:
        twin = rlq_twin(name, settings.bits)
        if twin is None:
            raise QuantlibError(
                f"No RLQ weights with {settings.bits} bits are bundled for {name}; choose "
                f"{', '.join(rlq_names()) or 'another method'}."
            )
        network = load(twin.name)
    elif settings.entry.learned and (bits := trained_bits(network)) != settings.bits:
        raise QuantlibError(
            f"{name} was trained with {bits} bits; call it with {bits}, or choose another network."
        )
    return network.at_depth(settings.depth)


def trained_bits(network: SRNetwork) -> int:
    """Bits of the activations that a network was trained with."""
    schemes = [layer.scheme for layer in quantized_layers(network.network).values()]
    return max(scheme.activation_bits for scheme in schemes)


def sites_of(network: nn.Module, method: str = "dqa") -> SiteNetwork:
    """The activation sites of a super-resolution network, traced on a photograph.

    A network that was trained with quantized layers keeps its own quantizers for `method` "rlq";
    for every other method its inputs are freed of them.
    """
    if not methods.method(method).learned and getattr(network, "is_quantized", False):
        network = with_free_inputs(network)
    example = to_tensor(calibration_pictures(48)[0])
    return SiteNetwork(network, example, inside="network")


def default_pairs(network: nn.Module) -> list[Pair]:
    """The calibration set that is used when nobody names another: crops of sample photographs."""
    return pairs_from(calibration_pictures(), int(network.scale))  # type: ignore[arg-type]


def adaptation_pictures(scale: int) -> list[Tensor]:
    """What networks are adapted on: the sample photographs, reduced by `scale` and by one more.

    The chart is left out: what a network learns on drawn lines harms photographs.
    """
    return reductions([load_sample(key).rgb for key in PHOTOGRAPHS], scale)


def reductions(photographs: Sequence[np.ndarray], scale: int, least: int = 1) -> list[Tensor]:
    """Inputs `(1, 3, H, W)` of at least `least` pixels a side, reduced by `scale` and by one more.

    >>> [tuple(x.shape) for x in reductions([np.zeros((60, 90, 3), np.uint8)], 2, least=20)]
    [(1, 3, 30, 45), (1, 3, 20, 30)]
    """
    return [
        downscale(to_tensor(rgb), factor)
        for rgb in photographs
        for factor in (scale, scale + 1)
        if min(rgb.shape[:2]) // factor >= least
    ]


def reduced(rgb: np.ndarray, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """A high-resolution picture as (input, truth): bicubic reduction, rounded to 8 bits."""
    height, width = (n - n % scale for n in rgb.shape[:2])
    if not height or not width:
        raise QuantlibError(
            f"A picture of {rgb.shape[1]}×{rgb.shape[0]} pixels is too small to be reduced "
            f"by {scale}; use a larger one, or enlarge it as it is."
        )
    truth = np.ascontiguousarray(rgb[:height, :width])
    return shrunk(truth, scale), truth


def sample_for(key: str, scale: int) -> np.ndarray:
    """The crop of a sample photograph whose reduction by `scale` is 128 pixels a side.

    Smaller where the photograph is.
    """
    side = min(INPUT_SIDE * scale, *load_sample(key).rgb.shape[:2])
    return load_sample(key, side - side % scale).rgb


def measure(
    network: QuantizedNetwork,
    rgb: np.ndarray,
    scale: int,
    truth: np.ndarray | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Measurement:
    """Super-resolve `rgb` and account for it; pictures of many pixels are done in tiles.

    Entropy-coded activations keep to their budget on this picture, tables and headers included.
    """
    started = time.perf_counter()
    if network.settings.entry.budgeted:
        result, sizes = within_budget(
            network, some_tiles(rgb), lambda tried: enlarged(tried, rgb, scale, watch)
        )
    else:
        result, sizes = enlarged(network, rgb, scale, watch)
    seconds = time.perf_counter() - started
    notes = ()
    if truth is not None:
        result, truth, notes = _common(result, truth, scale)
    weights = _weights_of(network)
    return Measurement(result, Ledger(sizes), seconds, scale, truth, weights, notes)


def _weights_of(network: QuantizedNetwork) -> ByteSizes:
    if isinstance(network, OnnxFile):
        return network.weights
    return weight_sizes(network.site_network.network)


def check_pair(result: Sequence[int], truth: Sequence[int], scale: int) -> None:
    """A QuantlibError where an original does not belong to a result, by (height, width).

    A reduction cuts rows and columns off, or rounds them up: at most `scale` - 1.
    """
    if not all(-scale < t - r < scale for t, r in zip(truth, result, strict=True)):
        raise QuantlibError(
            f"The original of {truth[1]}×{truth[0]} pixels does not belong to a result of "
            f"{result[1]}×{result[0]}; choose its ×{scale} reduction."
        )


def _common(
    result: np.ndarray, truth: np.ndarray, scale: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Result and truth without the rows and columns that a reduction cut off, or rounded up to.

    The note says what of a result is left out.
    """
    check_pair(result.shape[:2], truth.shape[:2], scale)
    height, width = (min(t, r) for t, r in zip(truth.shape[:2], result.shape[:2], strict=True))
    cut = result[:height, :width]
    notes = () if cut.shape == result.shape else (f"cut to {width}×{height}, as its original is",)
    return cut, truth[:height, :width], notes
