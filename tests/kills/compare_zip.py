"""The ZIP of the Compare page, made as a server makes it: with what is kept of earlier results."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from quantlib.files import write_whole
from quantlib.ptq import Settings

LATER = (
    "pages.parts.compare.archive",
    "pages.parts.shared.outliving",
    "pages.parts.super_resolution.measuring",
)
ENVIRONMENT = {"BITLENS_CACHE": "kept"}
BITS = (4, 3)


def write(words: Sequence[str]) -> int:
    """Two results of a small cat beside full precision, into the file that is named."""
    from pages.parts.compare.archive import archive
    from pages.parts.shared.outliving import keep_results
    from pages.parts.super_resolution.column import Column, titles_of
    from pages.parts.super_resolution.measuring import measured
    from pages.parts.super_resolution.networks import DEFAULT, loaded
    from pages.parts.super_resolution.pictures import subject
    from pages.parts.super_resolution.result import Result
    from pages.parts.super_resolution.sidebar import Choices

    keep_results()
    network = loaded(DEFAULT)
    cat = subject("cat", network.scale)
    assert cat.truth is not None
    cat = replace(cat, digest="small cat", low=cat.low[:24, :24], truth=cat.truth[:48, :48])
    columns = [Column(DEFAULT, Settings("fp32"))]
    columns += [Column(DEFAULT, Settings("direct", bits)) for bits in BITS]
    results = [
        Result(title, network, one.settings, measured(cat, network, one.settings))
        for title, one in zip(titles_of(columns), columns, strict=True)
    ]
    write_whole(Path(words[0]), archive(Choices(cat, network, columns[-1].settings), results))
    return 0
