"""How many examples a property test looks at."""

from hypothesis import settings


def examples(count: int) -> settings:
    """All of `count` in `make fuzz`, a fifth of them in `make test` and `make quick`.

    A profile's own number of examples is the share, in per cent.
    """
    share = settings.default.max_examples  # type: ignore[union-attr]
    return settings(max_examples=count * share // 100, deadline=None)
