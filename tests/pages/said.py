"""What a page says, without the links that its terms are."""

import re
from typing import Any

_TERM = re.compile(r"\[([^\]]*)\]\(#term-[a-z0-9-]+\)")


def plain(text: str) -> str:
    """As a visitor reads it.

    >>> plain("[PSNR](#term-psnr) in [dB](#term-db)")
    'PSNR in dB'
    """
    return _TERM.sub(r"\1", text)


def captions(app: Any) -> list[str]:
    """The captions of an app under test, or of a part of it."""
    return [plain(one.value) for one in app.caption]
