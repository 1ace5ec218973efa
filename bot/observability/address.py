"""The error for an address that cannot be listened on."""


class AddressUnusable(Exception):
    """The address of ``setting`` cannot be listened on; ``reason`` is the operating system's message."""

    def __init__(self, setting: str, address: str, reason: str) -> None:
        super().__init__(f"{setting}: {address}: {reason}")
        self.setting = setting
        self.address = address
        self.reason = reason
