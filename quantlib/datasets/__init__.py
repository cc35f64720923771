"""Labelled pictures: what they are, and readers for the files that data sets come in."""

from quantlib.datasets.labelled import LabelledPictures

__all__ = ["LabelledPictures"]
