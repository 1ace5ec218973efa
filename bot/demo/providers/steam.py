"""Simulated Steam: an OpenID 2.0 page on which users choose a person instead of typing a password."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from bot.demo.chance import Chance
from bot.demo.providers.faults import Fault
from bot.demo.providers.server import Refused, SimulatedServer
from bot.demo.world import World
from bot.domain.steam import SteamId

OPENID_NS = "http://specs.openid.net/auth/2.0"
LOGIN = "/openid/login"
CHECK = f"POST {LOGIN}"
"""The key in ``calls`` of a request to confirm an assertion."""

_SIGN_IN = "/openid/sign-in"
_SELECT = "http://specs.openid.net/auth/2.0/identifier_select"
_SIGNED = ("signed", "op_endpoint", "claimed_id", "identity", "return_to", "response_nonce", "assoc_handle")
_ASSOCIATION = "1234567890"


class SimulatedSteam(SimulatedServer):
    """steamcommunity.com/openid, with the people of the world.

    Each of ``check_faults`` applies to one request to confirm an assertion.
    """

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.check_faults: deque[Fault] = deque()
        self._key = Chance(world.seed, "steam").hex(64).encode()
        self._answered: set[str] = set()

    @property
    def openid_url(self) -> str:
        """Stands for https://steamcommunity.com/openid/login."""
        return f"{self.url}{LOGIN}"

    def assertion(self, steam_id: SteamId, *, return_to: str) -> dict[str, str]:
        """Return the parameters with which Steam sends a signed-in user back."""
        claimed_id = f"{self.url}/openid/id/{steam_id}"
        fields = {
            "ns": OPENID_NS,
            "mode": "id_res",
            "op_endpoint": self.openid_url,
            "claimed_id": claimed_id,
            "identity": claimed_id,
            "return_to": return_to,
            "response_nonce": f"{self.world.now():%Y-%m-%dT%H:%M:%SZ}{secrets.token_urlsafe(12)}",
            "assoc_handle": _ASSOCIATION,
            "signed": ",".join(_SIGNED),
        }
        fields["sig"] = self._signature(fields)
        return {f"openid.{name}": value for name, value in fields.items()}

    def _routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get(LOGIN, self._login, allow_head=False),
            web.post(_SIGN_IN, self._sign_in),
            web.post(LOGIN, self._check),
        ]

    async def _login(self, request: web.Request) -> web.StreamResponse:
        asked = _login_request(request.query)
        where = urlsplit(asked["return_to"]).netloc
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
        )
        people = "".join(
            f'<button name="steam_id" value="{person.steam_id}"><b>{escape(person.nickname)}</b> '
            f"{escape(person.about)}</button>"
            for person in self.world.people
        )
        page = _PAGE.format(where=escape(where), hidden=hidden, people=people)
        return web.Response(text=page, content_type="text/html")

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form.get("steam_id") == "":
            return _back(form["return_to"], {"openid.ns": OPENID_NS, "openid.mode": "cancel"})
        person = next((each for each in self.world.people if str(each.steam_id) == form.get("steam_id")), None)
        if person is None:
            raise _refused("Unknown SteamID")
        return _back(form["return_to"], self.assertion(person.steam_id, return_to=form["return_to"]))

    async def _check(self, request: web.Request) -> web.StreamResponse:
        if self.check_faults:
            return await self.check_faults.popleft()(request, self._confirm)
        return await self._confirm(request)

    async def _confirm(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        fields = {name.removeprefix("openid."): value for name, value in form.items()}
        if fields.get("mode") != "check_authentication":
            raise _refused("Unknown mode")
        is_valid = self._is_genuine(fields)
        text = f"ns:{OPENID_NS}\nis_valid:{'true' if is_valid else 'false'}\n"
        return web.Response(text=text, content_type="text/plain")

    def _is_genuine(self, fields: Mapping[str, str]) -> bool:
        """Return whether this Steam made the assertion and did not confirm it before."""
        nonce = fields.get("response_nonce", "")
        signed = {**fields, "mode": "id_res"}
        if nonce in self._answered or not hmac.compare_digest(self._signature(signed), fields.get("sig", "")):
            return False
        self._answered.add(nonce)
        return True

    def _signature(self, fields: Mapping[str, str]) -> str:
        text = "".join(f"{name}:{fields.get(name, '')}\n" for name in fields.get("signed", "").split(","))
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()

    def _not_found(self) -> web.Response:
        return _refused("Not found", HTTPStatus.NOT_FOUND).response


def _login_request(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters of an authentication request; raise Refused if Steam would not accept it."""
    asked = {name: query.get(f"openid.{name}", "") for name in ("ns", "mode", "return_to", "realm")}
    selected = {query.get("openid.identity"), query.get("openid.claimed_id")}
    if asked["ns"] != OPENID_NS or asked["mode"] != "checkid_setup" or selected != {_SELECT}:
        raise _refused("Not an OpenID 2.0 request")
    if not asked["realm"] or not asked["return_to"].startswith(asked["realm"]):
        raise _refused("return_to is not within the realm")
    return asked


def _back(return_to: str, parameters: Mapping[str, str]) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": f"{return_to}?{urlencode(parameters)}"})


def _refused(text: str, status: int = HTTPStatus.BAD_REQUEST) -> Refused:
    return Refused(web.Response(status=status, text=text))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simulated Steam</title><style>
body{{margin:0;padding:1rem;background:#171a21;color:#c7d5e0;font:1rem/1.5 system-ui,sans-serif}}
main{{max-width:34rem;margin:4vh auto}}
button{{display:block;width:100%;margin:.4rem 0;padding:.7rem 1rem;border:0;border-radius:4px;background:#2a475e;
color:inherit;font:inherit;text-align:left;cursor:pointer}}
b{{color:#fff}}
</style></head><body><main>
<h1>Simulated Steam</h1>
<p>Sign in to <b>{where}</b>. The real Steam asks for a password here; this one only asks who you are.</p>
<form method="post" action="/openid/sign-in">{hidden}{people}
<button name="steam_id" value="">Cancel</button></form>
</main></body></html>
"""
