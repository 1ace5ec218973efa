"""Takes a changed configuration over while the desk goes on: validated, and applied whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.config import VARIABLES, Settings
from bot.config_loading import ConfigurationInvalid
from bot.observability.logs import configure_logging

if TYPE_CHECKING:
    from bot.client import SkinDeskClient

_log = logging.getLogger(__name__)

LIVE = frozenset({
    "inventory.default_provider",
    "inventory.page_size",
    "resends.expires_after_hours",
    "resends.allow_self_approval",
    "observability.log_format",
    "observability.log_level",
})  # fmt: skip
"""What can change while the desk goes on. The rest is what connections were opened with: that takes a restart."""


class Reloading:
    """The configuration that is in force, and the way to another one."""

    def __init__(self, client: SkinDeskClient, settings: Settings, load: Callable[[], Settings]) -> None:
        self._client = client
        self._settings = settings
        self._load = load

    def reload(self) -> bool:
        """Read the configuration again and apply it; False, with the reasons in the log, where nothing was applied."""
        try:
            wanted = self._load()
        except ConfigurationInvalid as invalid:
            for problem in invalid.problems:
                _log.error("configuration not reloaded: %s", problem)
            return False
        changed = differences(self._settings, wanted)
        needing_a_restart = sorted(changed - LIVE)
        if needing_a_restart:
            _log.error(
                "configuration not reloaded: %s need a restart, nothing was applied", ", ".join(needing_a_restart)
            )
            return False
        self._apply(wanted)
        _log.info("configuration reloaded changed=%s", ",".join(sorted(changed)) or "nothing")
        return True

    def _apply(self, wanted: Settings) -> None:
        services = self._client.services
        configure_logging(wanted.observability.log_level, wanted.observability.log_format)
        services.inventory.use_default(wanted.default_provider)
        services.resends.use_rules(
            expires_after=wanted.resends.expires_after, allow_self_approval=wanted.resends.allow_self_approval
        )
        self._client.services = replace(services, page_size=wanted.inventory.page_size)
        self._settings = wanted


def differences(before: Settings, after: Settings) -> set[str]:
    """Return the keys, dotted, whose values are not the same."""
    return {key for key in VARIABLES if _value(before, key) != _value(after, key)}


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for step in key.split("."):
        value = getattr(value, step)
    return value
