"""Deposits as SkinsBack's ``orders`` and ``orderstatus`` show them (trades.md, 3.4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.demo.skinsback_deposits import RATES, SkinsBackDeposit, credited

_WITH_AMOUNTS = ("success", "in_hold", "hold_approved")


def deposit_row(deposit: SkinsBackDeposit, *, types_drift: bool = False) -> dict[str, Any]:
    """Return a deposit; with ``types_drift`` numbers of deposits are no texts, and amounts are."""
    row: dict[str, Any] = {
        "status": deposit.status,
        "transaction_id": deposit.transaction_id,
        "order_id": deposit.order_id,
        "steam_id": None if deposit.owner is None else str(deposit.owner),
        "date": int(deposit.created_at.timestamp()),
    }
    if deposit.status in _WITH_AMOUNTS:
        row["amount_currency"] = deposit.currency
        for name, amount in (("amount", deposit.amount), ("user_amount", deposit.user_amount)):
            row[name] = float(amount)
            row[f"{name}_in_currencies"] = _in_currencies(amount, deposit.currency)
    row |= _moment("offer_date", deposit.offered_at) | _moment("skins_send_date", deposit.arrived_at)
    if deposit.status == "success":
        row["skins"] = [
            # The name of the last key is not documented.
            {"name": skin.name, "price": float(skin.price), "price_for_user": float(credited(skin.price))}
            for skin in deposit.skins
        ]
    return _drifted(row) if types_drift else row


def _in_currencies(amount: Decimal, currency: str) -> dict[str, float]:
    return {other: round(float(amount) / RATES[currency] * rate, 2) for other, rate in RATES.items()}


def _moment(name: str, moment: datetime | None) -> dict[str, int]:
    """Return a moment, nothing if it has not come."""
    return {} if moment is None else {name: int(moment.timestamp())}


def _drifted(row: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: int(row[name]) for name in ("transaction_id", "order_id") if row[name].isdigit()}
    texts = {name: f"{row[name]:.2f}" for name in ("amount", "user_amount") if name in row}
    return row | numbers | texts
