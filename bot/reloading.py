"""Reloads the configuration at SIGHUP: all changes are applied, or none."""

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

LIVE = frozenset(
    {
        "discord.guild_ids",
        "inventory.default_provider",
        "inventory.page_size",
        "resends.expires_after_hours",
        "resends.allow_self_approval",
        "observability.log_format",
        "observability.log_level",
    }
)
"""The settings that can change at run time. The others need a restart."""


class Reloading:
    """The current configuration and the client that uses it."""

    def __init__(self, client: SkinDeskClient, settings: Settings, load: Callable[[], Settings]) -> None:
        self._client = client
        self._settings = settings
        self._load = load

    def reload(self) -> bool:
        """Load the configuration and apply it; if nothing was applied, log the reasons and return False."""
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
        if not self._client.services.guilds.use(wanted.discord.guild_ids):
            _log.error("configuration not reloaded: discord.guild_ids names no server, and there was no first one yet")
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
    """Return the dotted keys whose values differ."""
    return {key for key in VARIABLES if _value(before, key) != _value(after, key)}


def _value(settings: Settings, key: str) -> object:
    value: object = settings
    for step in key.split("."):
        value = getattr(value, step)
    return value
