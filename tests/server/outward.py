"""An audit hook that writes down what a process looks up and connects to."""

import sys

MARK = "outward:"


def watch(event: str, given: tuple) -> None:
    """For sys.addaudithook: a line on stderr for every name and every address."""
    match event, given:
        case (
            "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr",
            (host, *_),
        ) | ("socket.connect" | "socket.sendto", (_, (host, *_))):
            sys.stderr.write(f"{MARK} {host}\n")


def hosts(log: str) -> set[str]:
    """All that have such a line in `log`."""
    found = (line.partition(MARK)[2].strip() for line in log.splitlines() if MARK in line)
    return set(found)
