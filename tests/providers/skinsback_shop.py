"""A shop at SkinsBack for the wire tests, written from trades.md, 3: it checks the credentials and the parameters."""

import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from bot.domain.failures import ProviderName
from bot.domain.secrets import Secret
from bot.ports import CallObserver
from bot.providers.explanations import Catalogue
from bot.providers.rate_limits import RateLimiter
from bot.providers.resilience import ResilientProvider
from bot.providers.skinsback import Shop
from tests.support.loopback import Raw, Recorded, Reply, as_json

CLIENT_ID, SECRET = "client-7", "CANARY-secret"
NOW = 1778760000
"""The fake clock's time, in UNIX seconds."""
OWNER, OTHER = "76561198012345678", "76561198012345679"


def row(number: object = 1, status: object = "pending", **fields: Any) -> dict[str, Any]:
    """Return a deposit as ``orders`` answers it."""
    ids = {"transaction_id": str(number), "order_id": f"shop-{number}", "steam_id": OWNER}
    return {"status": status, **ids, "date": NOW - 3600, **fields}


def error(code: object, key: object) -> Raw:
    return as_json({"status": "error", "error_code": code, "error_message": key})


def form_of(asked: Recorded) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode(), keep_blank_values=True))


class ShopServer:
    """The script of a loopback server. ``replies`` come before its own answers, in turn."""

    def __init__(self, *rows: dict[str, Any], page: int = 1_000) -> None:
        self.rows = rows
        self.page = page
        self.replies: list[Reply] = []
        self.on_request: Callable[[], object] = lambda: None

    def __call__(self, asked: Recorded) -> Reply:
        self.on_request()
        form = form_of(asked)
        if self.replies:
            return self.replies.pop(0)
        if not _is_authentic(asked, form):
            return error(-3, "invalid_signature")
        return self._orders(form) if form["method"] == "orders" else self._order(form)

    def _orders(self, form: dict[str, str]) -> Reply:
        if not {"starting", "ending"} <= form.keys():
            return error(1, "missing_starting_or_ending")
        inside = [each for each in self.rows if int(form["starting"]) <= each["date"] <= int(form["ending"])]
        begin = int(form.get("start_from", 0))
        end = begin + self.page
        return page(inside[begin:end], total_count=len(inside), has_more=end < len(inside), start_from=end)

    def _order(self, form: dict[str, str]) -> Reply:
        assert form["method"] == "orderstatus"
        (name,) = form.keys() & {"transaction_id", "order_id"}
        found = (each for each in self.rows if str(each[name]) == form[name])
        return as_json(next(found)) if any(str(each[name]) == form[name] for each in self.rows) else error(4, NOT_FOUND)


NOT_FOUND = "transaction_not_found"


def page(rows: object, **fields: object) -> Raw:
    return as_json({"status": "success", "items": rows, **fields})


def _is_authentic(asked: Recorded, form: dict[str, str]) -> bool:
    if asked.header("x-client-id") is not None:
        return (asked.header("x-client-id"), asked.header("x-client-secret")) == (CLIENT_ID, SECRET)
    signed = "".join(f"{name}:{form[name]};" for name in sorted(form) if name != "sign")
    expected = hmac.digest(SECRET.encode(), signed.encode(), "sha1").hex()
    return form.get("shopid") == CLIENT_ID and form.get("sign") == expected


def shop_of(
    connect: Callable[..., Any], auth: Any = "headers", *observers: CallObserver
) -> tuple[Shop, ResilientProvider]:
    """Return the shop at a loopback server, and its retries and circuit breaker."""
    transport = connect(ProviderName.SKINSBACK, "/api.php")
    resilience = ResilientProvider(
        ProviderName.SKINSBACK,
        clock=transport.clock,
        limiter=RateLimiter({}, transport.clock),
        explanations=Catalogue.load(),
        observers=observers,
    )
    return Shop(transport, CLIENT_ID, Secret(SECRET), auth), resilience
