"""The headers of every answer, whatever it answers."""

from collections.abc import Mapping

from bot.web.page import STYLE_HASH

_ALWAYS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Server": "SkinDesk",  # aiohttp would tell its version and Python's
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_ONE_YEAR = 31_536_000


def security_headers(*, form_origin: str, https: bool) -> dict[str, str]:
    """Return the headers. ``form_origin`` is where a form may lead besides here: browsers look at redirects too."""
    policy = (
        "default-src 'none'",
        f"style-src '{STYLE_HASH}'",
        f"form-action 'self' {form_origin}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
    headers = {**_ALWAYS, "Content-Security-Policy": "; ".join(policy)}
    if https:
        headers["Strict-Transport-Security"] = f"max-age={_ONE_YEAR}"
    return headers
