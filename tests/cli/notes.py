"""What verbs say of a network beside their result."""


def without_notes(err: str) -> str:
    """Standard error without the notes on a network, which tiny ones with random weights get.

    >>> without_notes("note: unlike the bicubic one.\\nquantlib: no such file.\\n")
    'quantlib: no such file.\\n'
    """
    return "".join(line for line in err.splitlines(True) if not line.startswith("note: "))
