"""What somebody else wrote, shown as it is: pages render Markdown, with its links and pictures."""


def as_text(text: str) -> str:
    r"""Without the characters that Markdown would take for formatting; in one line.

    >>> print(as_text("![x](http://a/b.png)\n# <b>"))
    !\[x\](http\://a/b.png) \# \<b\>
    """
    line = " ".join(text.split())
    return "".join(f"\\{c}" if c in r"\`*_[]<>$#:~|" else c for c in line)
