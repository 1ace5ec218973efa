"""The requests of Steam sign-in: the page, its button, and the return from Steam."""

import asyncio
import hmac
import logging
import re
import secrets
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from bot.domain.errors import (
    DatabaseUnavailable,
    Interrupted,
    ShuttingDown,
    SignInRefused,
    SkinDeskError,
    SteamAccountTaken,
    SteamUnavailable,
    TooOften,
)
from bot.domain.links import SIGN_IN_WITHIN
from bot.domain.secrets import SignInToken
from bot.domain.sign_in import SignInPlaces, is_digest, token_from
from bot.services.sign_in import SignInService
from bot.web import messages
from bot.web.page import Page

_log = logging.getLogger(__name__)

_MOST_BODY = 1024
_READ_WITHIN = 5.0
_FIELDS = 32
_PAGE = re.compile(r"/link/(?P<token>[^/?#]{1,100})")
_RETURN = re.compile(r"/link/return/(?P<digest>[^/?#]{1,100})")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class SignInSite:
    """Answers requests for the pages of sign-ins; any other one with an error page.

    ``places`` are the public addresses. Requests may name them, or the ``address`` that the server listens on.
    """

    def __init__(self, service: SignInService, places: SignInPlaces, address: tuple[str, int]) -> None:
        self._service = service
        self._places = places
        public = urlsplit(places.public_url)
        self._prefix = public.path.rstrip("/")
        self._is_https = public.scheme == "https"
        host, port = address
        self.hosts = {
            public.netloc.lower(),
            public.netloc.lower().removesuffix(_DEFAULT_PORTS[public.scheme]),
            (f"[{host}]:{port}" if ":" in host else f"{host}:{port}").lower(),
            *(f"{name}:{port}" for name in ("localhost", "127.0.0.1", "[::1]")),  # as many proxies send it
        }
        self._steam_host = urlsplit(places.steam_url).netloc
        cookie = "__Secure-skindesk" if self._is_https else "skindesk"
        self._proof_cookie = f"{cookie}_page"
        self._browser_cookie = f"{cookie}_sign_in"

    async def __call__(self, request: web.BaseRequest) -> Page:
        """Answer a request."""
        try:
            return await self._answered(request)
        except DatabaseUnavailable as error:
            _log.info("sign-in not finished problem=%s", type(error).__name__)
            return messages.NO_DATABASE()

    async def _answered(self, request: web.BaseRequest) -> Page:
        path, _, query = request.raw_path.partition("?")
        if not path.startswith(f"{self._prefix}/"):
            return messages.NOT_FOUND()
        path = path.removeprefix(self._prefix)
        if (match := _RETURN.fullmatch(path)) is not None and is_digest(match["digest"]):
            return await self._returned(request, match["digest"], query)
        if (match := _PAGE.fullmatch(path)) is not None and (token := token_from(match["token"])) is not None:
            handle = {"GET": self._ask, "HEAD": self._ask, "POST": self._redirect}.get(request.method)
            return await handle(request, token) if handle else messages.wrong_method("GET, HEAD, POST")
        return messages.NOT_FOUND()

    async def _ask(self, request: web.BaseRequest, token: SignInToken) -> Page:
        pending = await self._service.find(token)
        if pending is None:
            return messages.GONE()
        # A browser keeps its proof, so that two of these pages work at the same time.
        kept = token_from(request.cookies.get(self._proof_cookie, ""))
        proof = kept.reveal() if kept is not None else secrets.token_urlsafe(32)
        page = messages.ask(pending, post_to=self._path(token), steam_host=self._steam_host, proof=proof)
        page.headers["Set-Cookie"] = self._cookie(self._proof_cookie, proof, f"{self._prefix}/link", "Strict")
        return page

    async def _redirect(self, request: web.BaseRequest, token: SignInToken) -> Page:
        """Redirect to Steam if the form was sent by our own page, and not by another site."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return messages.NOT_FROM_PAGE()
        try:
            body = await _body(request)
        except (TimeoutError, web.RequestPayloadError, ValueError):
            return messages.NOT_UNDERSTOOD()
        if body is None:
            return messages.TOO_LARGE()
        proof, kept = dict(body).get("proof", ""), request.cookies.get(self._proof_cookie, "")
        if token_from(kept) is None or not hmac.compare_digest(proof.encode(), kept.encode()):
            return messages.NOT_FROM_PAGE()
        login = await self._service.login_address(token)
        if login is None:
            return messages.GONE()
        digest = token.digest()
        return messages.to_steam(
            {
                "Location": login,
                "Set-Cookie": self._cookie(self._browser_cookie, token.reveal(), self._return_path(digest), "Lax"),
            }
        )

    async def _returned(self, request: web.BaseRequest, digest: str, query: str) -> Page:
        if request.method != "GET":
            return messages.wrong_method("GET")
        try:
            parameters = parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
        except ValueError:
            return messages.NOT_UNDERSTOOD()
        token = token_from(request.cookies.get(self._browser_cookie, ""))
        try:
            return messages.linked(await self._service.finish(digest, parameters, token=token))
        except SkinDeskError as error:
            return self._explained(error, token)

    def _explained(self, error: SkinDeskError, token: SignInToken | None) -> Page:
        """Return the page for an error, and log it."""
        back = f"{self._prefix}/" if token is None else self._path(token)
        match error:
            case SignInRefused(problem="browser"):
                page = messages.OTHER_BROWSER()
            case SignInRefused(problem="used"):
                page = messages.GONE()
            case SignInRefused(problem="cancelled"):
                page = messages.cancelled(back)
            case SignInRefused():
                page = messages.refused(error.problem)
            case SteamAccountTaken():
                page = messages.TAKEN()
            case SteamUnavailable():
                page = messages.unavailable(back)
            case TooOften():
                page = messages.TOO_OFTEN()
            case ShuttingDown() | Interrupted():
                page = messages.RESTARTING()
            case _:
                raise error
        problem = error.problem if isinstance(error, SignInRefused) else type(error).__name__
        _log.info("sign-in not finished problem=%s", problem)
        return page

    def _path(self, token: SignInToken) -> str:
        return urlsplit(self._places.page(token).reveal()).path

    def _return_path(self, digest: str) -> str:
        return urlsplit(self._places.return_to(digest)).path

    def _cookie(self, name: str, value: str, path: str, same_site: str) -> str:
        # Kept after use: a reloaded page then says that the address was used, not that the browser is another one.
        seconds = int(SIGN_IN_WITHIN.total_seconds())
        secure = "; Secure" if self._is_https else ""
        return f"{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={same_site}{secure}"


async def _body(request: web.BaseRequest) -> list[tuple[str, str]] | None:
    """Read a form; None if it is too large. Raise ValueError for another body, TimeoutError for one that never ends."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise ValueError("not a form")
    if (request.content_length or 0) > _MOST_BODY:
        return None
    read = b""
    async with asyncio.timeout(_READ_WITHIN):
        while piece := await request.content.read(_MOST_BODY + 1):
            read += piece
            if len(read) > _MOST_BODY:
                return None
    return parse_qsl(read.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS)
