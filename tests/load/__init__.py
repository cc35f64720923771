"""Many visitors at once, each a websocket session of its own: python -m tests.load"""
