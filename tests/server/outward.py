"""What a process looks up and connects to: an audit hook for Python, and Linux for all else."""

import re
import sys
from ipaddress import ip_address
from pathlib import Path

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


def peers(pid: int) -> set[str]:
    """The other ends of the sockets that the process `pid` holds now, whatever opened them."""
    held = {
        found[1]
        for one in Path(f"/proc/{pid}/fd").iterdir()
        if (found := re.fullmatch(r"socket:\[(\d+)\]", _target(one)))
    }
    return {
        _address(line.split()[2].partition(":")[0])
        for table in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text("utf-8").splitlines()[1:]
        if line.split()[9] in held
    }


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""


def _address(digits: str) -> str:
    """As Linux writes it: words of four bytes, each the wrong way round.

    >>> _address("0100007F"), _address("0000000000000000FFFF00000100007F")
    ('127.0.0.1', '127.0.0.1')
    """
    words = bytes.fromhex(digits)
    address = ip_address(b"".join(words[at : at + 4][::-1] for at in range(0, len(words), 4)))
    return str(getattr(address, "ipv4_mapped", None) or address)
