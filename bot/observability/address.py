"""What is wrong where an address to listen on cannot be had."""


class AddressUnusable(Exception):
    """An address to listen on cannot be had. ``setting`` is the key that names it, ``reason`` the system's word."""

    def __init__(self, setting: str, address: str, reason: str) -> None:
        super().__init__(f"{setting}: {address}: {reason}")
        self.setting = setting
        self.address = address
        self.reason = reason
