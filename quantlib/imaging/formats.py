"""The kinds of picture files that are read, and the endings of their names."""

ENDINGS_OF = {
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WebP": (".webp",),
    "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"),
}
ENDINGS = tuple(ending for endings in ENDINGS_OF.values() for ending in endings)
FORMATS = " or ".join(", ".join(ENDINGS_OF).rsplit(", ", 1))  # in a sentence
