from tests.own_main import own_main

__all__ = ["own_main"]
