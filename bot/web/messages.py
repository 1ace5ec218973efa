"""The texts of all pages."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs

from bot.domain.links import RELINK_COOL_DOWN
from bot.domain.sign_in import PendingSignIn
from bot.languages import Message, t, tn
from bot.services.sign_in import FinishedSignIn
from bot.web.page import Markup, Mood, Notice, Page, facts, form, link, markup, name, two_lines, warning

_START_AGAIN: Final = Message("Use <code>/link start</code> in Discord for a new address.")
_CHECK_FIRST: Final = Message("If you had signed in already, look at <code>/link status</code> in Discord first.")
_TRY_AGAIN: Final = Message("Try again", "button")

GONE: Final = Notice(
    Message("This address can no longer be used"),
    Message("An address works once and for 10 minutes. A new one takes the place of the one before."),
    Message("If you have just signed in, <code>/link status</code> in Discord shows your account."),
    _START_AGAIN,
    status=HTTPStatus.GONE,
    mood=Mood.WARNING,
)
TAKEN: Final = Notice(
    Message("This Steam account is linked already"),
    Message(
        "You signed in, but this Steam account is linked to another member of that server. "
        "One Steam account belongs to one member. Nothing was changed."
    ),
    Message(
        "If the other member is you, use <code>/link remove</code> there first. If you cannot, or if it is "
        "not you, tell the staff of the server: they can end the other link with "
        "<code>/link set</code>. Then sign in again."
    ),
    status=HTTPStatus.CONFLICT,
    mood=Mood.BAD,
)
"""It does not say whose account it is."""
OTHER_BROWSER: Final = Notice(
    Message("Not started in this browser"),
    Message(
        "<strong>Nothing was linked.</strong> This browser did not come from SkinDesk’s own page. If "
        "someone sent you a link to sign in to Steam, they were trying to link your account to theirs."
    ),
    Message(
        "If it was you, open the address from <code>/link start</code> and press the button in the same "
        "browser, with cookies allowed."
    ),
    status=HTTPStatus.FORBIDDEN,
    mood=Mood.BAD,
)
NOT_FROM_PAGE: Final = Notice(
    Message("Open the page again"),
    Message("The button on SkinDesk’s page was not used, or your browser keeps no cookies. Nothing was done."),
    Message("Open the address from <code>/link start</code> again, with cookies allowed, and press the button there."),
    status=HTTPStatus.FORBIDDEN,
    mood=Mood.BAD,
)
"""For a form that another site sent."""
RESTARTING: Final = Notice(
    Message("SkinDesk is restarting"),
    Message("Try again in a minute. Your address still works then."),
    _CHECK_FIRST,
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    mood=Mood.WARNING,
    retry_after=60,
)
NO_DATABASE: Final = Notice(
    Message("SkinDesk cannot use its database"),
    Message("That is not your mistake. Try again in a few minutes."),
    _CHECK_FIRST,
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    mood=Mood.WARNING,
    retry_after=60,
)
NOT_FOUND: Final = Notice(
    Message("There is nothing here"),
    Message("SkinDesk is used in Discord. Use <code>/link start</code> there for the address of your sign-in."),
    status=HTTPStatus.NOT_FOUND,
)
NOT_UNDERSTOOD: Final = Notice(
    Message("SkinDesk cannot read this request"), _START_AGAIN, status=HTTPStatus.BAD_REQUEST
)
TOO_LARGE: Final = Notice(
    Message("This request is too large"),
    Message("That is more than this page’s form holds."),
    status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)
WRONG_HOST: Final = Notice(
    Message("This is not SkinDesk’s address"),
    Message(
        "For the administrator of SkinDesk: the request must name the host of "
        "<code>links.public_url</code>. Let the proxy pass on the <code>Host</code> header."
    ),
    status=HTTPStatus.MISDIRECTED_REQUEST,
)
TOO_OFTEN: Final = Notice(
    Message("Too many attempts"),
    Message("You have signed in too often within an hour. Nothing was linked."),
    Message("Try again in an hour."),
    status=HTTPStatus.TOO_MANY_REQUESTS,
    mood=Mood.WARNING,
)
FAILED: Final = Notice(
    Message("Something went wrong in SkinDesk"),
    Message("That is SkinDesk’s mistake, not yours."),
    Message(
        "Look at <code>/link status</code> in Discord. If no account is linked to you, use "
        "<code>/link start</code> again."
    ),
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    mood=Mood.BAD,
)


def ask(pending: PendingSignIn, *, post_to: str, steam_host: str, proof: str) -> Page:
    """Return the page that asks users whether they are the member who is about to be linked."""
    names, sign_in = pending.names, pending.sign_in
    who = facts(
        (
            t("Discord user"),
            t("id {number}", number=sign_in.user_id)
            if names is None
            else two_lines(name(names.member), name(f"@{names.user}")),
        ),
        # Translators: a Discord server, as a label above its name
        (t("Server"), t("id {number}", number=sign_in.guild_id) if names is None else name(names.guild)),
    )
    return Page(
        t("Link your Steam account"),
        [
            t("You are about to link your Steam account to this Discord user:"),
            who,
            markup(
                Message(
                    "<strong>Only go on if that is you</strong> and you have just used <code>/link start</code> "
                    "yourself."
                )
            ),
            warning(
                t(
                    "Did someone send you this address? Then close the page. They would count as the owner of your "
                    "Steam account on that server, see your trades and ask for your items."
                )
            ),
            markup(
                # Translators: {host} is Steam's address, {time} a time of day
                Message(
                    "You sign in at <code>{host}</code>. Look at your browser’s address bar before you type your "
                    "password. SkinDesk never sees it. This page works once, until {time} UTC."
                ),
                host=steam_host,
                time=f"{sign_in.expires_at.astimezone(UTC):%H:%M}",
            ),
        ],
        mood=Mood.WARNING,
        action=form(t("That is me: go on to Steam"), post_to, proof=proof),
    )


def to_steam(headers: dict[str, str]) -> Page:
    """Return the redirect to Steam."""
    return Page(t("On to Steam"), [t("Your browser goes on to Steam.")], status=HTTPStatus.SEE_OTHER, headers=headers)


def linked(finished: FinishedSignIn) -> Page:
    """Return the page of success."""
    account = str(finished.link.steam_id)
    body: list[str | Markup] = [
        markup(
            Message("SteamID <code>{account}</code> is now linked to the Discord user with the id <code>{id}</code>."),
            account=account,
            id=str(finished.link.user_id),
        )
        if finished.names is None
        else markup(
            Message(
                "SteamID <code>{account}</code> is now linked to the Discord user <strong>{member}</strong> on the "
                "server <strong>{server}</strong>."
            ),
            account=account,
            member=name(finished.names.member),
            server=name(finished.names.guild),
        )
    ]
    if finished.waits and finished.link.resends_from is not None:
        body.append(_waiting(finished.link.resends_from))
    body.append(
        markup(
            Message(
                "You can close this page. In Discord, <code>/link status</code> shows the link, and "
                "<code>/link remove</code> ends it."
            )
        )
    )
    return Page(t("Your Steam account is linked"), body, mood=Mood.GOOD)


def _waiting(until: datetime) -> str:
    return tn(
        "You can ask for resends of your own trades from this time on: {time} UTC. The reason: the account or the "
        "member was linked differently in the last {count} hour. The staff can ask for you before.",
        "You can ask for resends of your own trades from this time on: {time} UTC. The reason: the account or the "
        "member was linked differently in the last {count} hours. The staff can ask for you before.",
        int(RELINK_COOL_DOWN.total_seconds() // 3600),
        time=f"{until.astimezone(UTC):%Y-%m-%d, %H:%M}",
    )


def cancelled(back: str) -> Page:
    """Return the page for users who left Steam without signing in."""
    return Page(
        t("Nothing was linked"),
        [t("You left Steam without signing in. If that was by mistake, try again.")],
        action=link(_TRY_AGAIN(), back),
    )


def refused(problem: str) -> Page:
    """Return the page for an answer of Steam that is wrong; ``problem`` is SkinDesk's own word for it."""
    return Page(
        t("Steam’s answer cannot be used"),
        [
            t("This is not what Steam sends for this sign-in, or it came too late. Nothing was linked."),
            markup(_START_AGAIN),
            # Translators: {word} is a code such as "signature"
            markup(Message("If it happens again, tell the staff this word: <code>{word}</code>."), word=problem),
        ],
        status=HTTPStatus.BAD_REQUEST,
        mood=Mood.BAD,
    )


def unavailable(back: str) -> Page:
    """Return the page for a Steam that does not answer."""
    return Page(
        t("Steam does not answer"),
        [t("Steam could not confirm your sign-in in time. Nothing was linked, and your address still works.")],
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        mood=Mood.WARNING,
        action=link(_TRY_AGAIN(), back),
        headers={hdrs.RETRY_AFTER: "30"},
    )


def wrong_method(allowed: str) -> Page:
    """Return the page for a method that the address does not have."""
    return Page(
        t("This address cannot be used in that way"),
        [markup(_START_AGAIN)],
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        headers={hdrs.ALLOW: allowed},
    )
