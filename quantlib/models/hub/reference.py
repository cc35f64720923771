"""How a file on the Hub is named."""

import re
from dataclasses import dataclass

from quantlib.errors import QuantlibError
from quantlib.models.suffixes import require_suffix

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_FILE = r"[A-Za-z0-9][A-Za-z0-9._+/ -]{0,199}"
_REFERENCE = re.compile(
    rf"(?P<repository>{_PART}/{_PART})"
    r"(?:@(?P<revision>[A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?"
    rf"(?::(?P<file>{_FILE}))?"
)


@dataclass(frozen=True)
class HubReference:
    """A file on the Hub: repository, revision (branch, tag or commit), path, "model" or "dataset".

    >>> reference = HubReference.parse("eugenesiow/edsr-base@d622f68:pytorch_model_2x.pt")
    >>> reference.repository, reference.revision, reference.file
    ('eugenesiow/edsr-base', 'd622f68', 'pytorch_model_2x.pt')
    >>> str(HubReference.parse("hub:eugenesiow/pan"))
    'hub:eugenesiow/pan'
    """

    repository: str
    revision: str | None = None
    file: str | None = None
    kind: str = "model"

    @classmethod
    def parse(cls, text: str) -> "HubReference":
        """The reference in `OWNER/NAME[@REVISION][:FILE]`, with or without `hub:` in front.

        Raises a `QuantlibError` for anything else, such as a file outside the repository.
        """
        match = _REFERENCE.fullmatch(text.removeprefix("hub:"))
        if match is None or ".." in text or "--" in match["repository"]:
            raise QuantlibError(
                f"{text!r} does not name a model on the Hub; write OWNER/NAME, OWNER/NAME:FILE or "
                "OWNER/NAME@REVISION:FILE."
            )
        if match["file"]:
            require_suffix(match["file"])
        return cls(**match.groupdict())

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return re.fullmatch(r"[0-9a-f]{7,40}", self.revision or "") is not None

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        folder = "" if self.kind == "model" else f"{self.kind}s/"
        return f"hub:{folder}{self.repository}{revision}" + (f":{self.file}" if self.file else "")


def is_inside(file: str) -> bool:
    """Whether a name that a server gives is that of a file in its repository.

    >>> is_inside("weights/net.pth"), is_inside("../net.pth"), is_inside("/net.pth")
    (True, False, False)
    """
    return ".." not in file and re.fullmatch(_FILE, file) is not None
