"""Addresses that SkinDesk listens on, and the names by which requests may ask for them."""

import re
import socket
from ipaddress import ip_address

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+?)\.?)(?::[0-9]{1,5})?", re.ASCII)

_NEVER_PUBLIC = (".localhost", ".local", ".internal")
"""Endings that no one can register (RFC 6761, RFC 6762, ICANN's resolution of 29 July 2024)."""


class AddressUnusable(Exception):
    """The address of ``setting`` cannot be listened on; ``reason`` is the operating system's message."""

    def __init__(self, setting: str, address: str, reason: str) -> None:
        super().__init__(f"{setting}: {address}: {reason}")
        self.setting = setting
        self.address = address
        self.reason = reason


def is_private_name(host: str, *, listen: str) -> bool:
    """Return whether a Host header names an address in a way that no stranger's domain can.

    A page in an operator's browser can send requests to this machine under its own domain (DNS rebinding), and read
    the answers. These names are safe: an IP address, a name without a dot or with an ending that is never public, this
    machine's name, and the host of ``listen``. Probes of HTTP/1.0 send none, and no browser does that.
    """
    if not host:
        return True
    match = _HOST.fullmatch(host.lower())
    if match is None:
        return False
    name = match[1] or match[2]
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_NEVER_PUBLIC) or name in (listen.lower(), socket.gethostname().lower())
    return True
