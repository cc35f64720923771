"""One compare slider over two generated pictures, and what it reports."""

import io

import numpy as np
import streamlit as st
from PIL import Image

from pages.parts.figures.compare import clicked_point, compare_slider

WIDTH, HEIGHT = 64, 32


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def red_with_dark_columns() -> bytes:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, 0::2] = (255, 0, 0)
    pixels[:, 1::2] = (128, 0, 0)
    return png(pixels)


def blue() -> bytes:
    return png(np.full((HEIGHT, WIDTH, 3), (0, 0, 255), np.uint8))


def remember() -> None:
    st.session_state.point_in_callback = clicked_point("slider")


crop = (0.25, 0.5, 0.5, 0.75) if st.toggle("Crop") else None
point = compare_slider(
    red_with_dark_columns(),
    blue(),
    "FP32 <b>&</b>",
    "4 bits",
    alt="Red against blue",
    key="slider",
    crop=crop,
    on_click=remember,
)
st.text(f"point: {point}")
st.text(f"in callback: {st.session_state.get('point_in_callback')}")
