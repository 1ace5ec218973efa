"""Finds the Steam account in what people paste: a SteamID in any common form, or a trade URL."""

from __future__ import annotations

import re

from bot.domain.errors import InvalidInput, TradeUrlRejected
from bot.domain.normal_forms import normalized
from bot.domain.pasted import LONGEST, plain
from bot.domain.steam import INDIVIDUAL_BASE, SteamId, TradeUrlProblem
from bot.domain.trade_url import trade_links

_STEAM_ID_64 = re.compile(r"(?<!\d)7656\d{13}(?![\dA-Za-z])", re.ASCII)
_STEAM_ID_2 = re.compile(r"(?<![A-Z])STEAM_[01]\s?:\s?([01])\s?:\s?(\d{1,10}+)", re.ASCII | re.IGNORECASE)
_STEAM_ID_3 = re.compile(r"(?<![A-Z\d])U\s?:\s?1\s?:\s?(\d{1,10}+)(?!\d)", re.ASCII | re.IGNORECASE)
# A custom address may look like another account's SteamID.
_CUSTOM_ADDRESS = re.compile(r"/id/[^/\s?#]*+", re.IGNORECASE)
_INVITATION = re.compile(r"\bs\.team/p/|\bsteamcommunity\.com/user/", re.IGNORECASE)
_NUMBER = re.compile(r"\W*+\d{1,10}+\W*+", re.ASCII)


def read_steam_id(text: str, *, option: str) -> SteamId:
    """Read the only account in a text; InvalidInput or TradeUrlRejected if there is not exactly one."""
    if len(text) > LONGEST:
        raise InvalidInput(option, "too_long")
    visible = plain(text).text
    links = list(trade_links(visible))
    for problem in (TradeUrlProblem.LOOKALIKE_HOST, TradeUrlProblem.SEVERAL):
        if any(link.problem is problem for link in links):
            raise TradeUrlRejected(problem)
    usual = normalized("NFKC", visible)
    written = _CUSTOM_ADDRESS.sub("/id/", usual)
    values = [int(found[0]) for found in _STEAM_ID_64.finditer(written)]
    values += [INDIVIDUAL_BASE + 2 * int(found[2]) + int(found[1]) for found in _STEAM_ID_2.finditer(written)]
    values += [INDIVIDUAL_BASE + int(found[1]) for found in _STEAM_ID_3.finditer(written)]
    accounts = {SteamId(value) for value in values if SteamId.is_possible(value)}
    accounts |= {link.account for link in links if link.account is not None}
    if len(accounts) > 1:
        raise InvalidInput(option, "several_accounts")
    if accounts:
        return accounts.pop()
    if mistake := next((link.problem for link in links if link.problem is not None), None):
        raise TradeUrlRejected(mistake)
    if written != usual:
        raise InvalidInput(option, "custom_address")
    if _INVITATION.search(usual):
        raise InvalidInput(option, "invitation")
    raise InvalidInput(option, "account_number" if _NUMBER.fullmatch(usual) else "steam_id")
