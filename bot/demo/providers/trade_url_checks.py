"""What AssetPay's check of a trade URL says of each condition (trades.md, 1.8)."""

from __future__ import annotations

from typing import Any

from bot.demo.people import Condition

ESCROW_DAYS = 15


def trade_url_check(condition: Condition) -> dict[str, Any]:
    """Return the state of an account with this condition, and why it cannot trade."""
    match condition:
        case Condition.PRIVATE:
            return {"state": 5, "message": "Inventory is private"}
        case Condition.STEAM_BUSY:
            return {"state": 8, "message": "Unknown error"}
        case Condition.STEAM_DOWN:
            return {"state": 10, "message": "Steam is unavailable"}
        case Condition.TRADE_BANNED:
            return {"state": 4, "message": "User is banned", **_facts(game_bans=1, economy_ban="banned")}
        case Condition.ESCROW:
            return {"state": 1, "message": "OK", **_facts(escrow_days=ESCROW_DAYS)}
        case _:
            return {"state": 1, "message": "OK", **_facts()}


def _facts(*, escrow_days: int = 0, game_bans: int = 0, economy_ban: str = "none") -> dict[str, Any]:
    can_trade = not escrow_days and economy_ban == "none"
    facts: dict[str, Any] = {
        "canTrade": can_trade,
        "bans": {"vacBanned": False, "gameBans": game_bans, "economyBan": economy_ban},
    }
    if not can_trade:
        facts["reason"] = {"escrowDays": escrow_days, "probation": False}
    return facts
