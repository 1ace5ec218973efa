"""Ports for servers that start later."""

import os
import random
import socket

GIVEN = range(20_000, 32_000)
"""Below the ports that Linux (32768) and macOS (49152) give to connections.

A port chosen by the system (0) may have become another connection's by the time a process listens on it.
"""

_SHARES = 16


class FreePorts:
    """Ports of 127.0.0.1, each given once: no two of pytest-xdist's workers choose from the same."""

    def __init__(self) -> None:
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        ports = list(GIVEN[worker % _SHARES :: _SHARES])
        random.shuffle(ports)
        self._ports = iter(ports)

    def __call__(self) -> int:
        """Return a port that nothing listens on."""
        for port in self._ports:
            with socket.socket() as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    server.bind(("127.0.0.1", port))
                except OSError:
                    continue
            return port
        raise AssertionError("all ports of this worker were given")


free_port = FreePorts()
