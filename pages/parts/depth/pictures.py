"""The same crop at the chosen depth, through all blocks, and without a network."""

from pages.parts.figures import crops
from pages.parts.shared.terms import caption
from pages.parts.super_resolution.pictures import Subject, bicubic
from quantlib.evaluation.quality import CONVENTION, psnr_y
from quantlib.models import SRNetwork
from quantlib.tasks.super_networks import SubNetwork


def show_crops(picture: Subject, network: SRNetwork, chosen: SubNetwork, full: SubNetwork) -> None:
    floor = bicubic(picture, network.scale)
    reference = full.rgb if picture.truth is None else picture.truth
    crop = crops.crop_from_address(reference, floor)
    shown = {
        f"{len(chosen.kept)} blocks": chosen.rgb,
        f"All {len(full.kept)} blocks": full.rgb,
        "Bicubic": floor,
    }
    if picture.truth is not None:
        shown["Truth"] = picture.truth
    panels = []
    for title, rgb in shown.items():
        known = picture.truth is not None and title != "Truth"
        figures = f"{psnr_y(rgb, reference, network.scale):.2f} dB" if known else ""
        panels.append(crops.Panel(crop.cut(rgb), title, figures, f"Crop: {title}"))
    gone = crops.error_map(chosen.rgb, full.rgb)
    panels.append(
        crops.Panel(
            crop.cut(gone), f"Difference × {crops.ERROR_GAIN}", "to all blocks", "Difference map"
        )
    )
    crops.show_row(panels)
    caption(f"{CONVENTION}.")
