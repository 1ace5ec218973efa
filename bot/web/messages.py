"""The texts of all pages."""

from datetime import UTC, datetime
from http import HTTPStatus

from bot.domain.links import RELINK_COOL_DOWN
from bot.domain.sign_in import PendingSignIn
from bot.services.sign_in import FinishedSignIn
from bot.web.page import Markup, Mood, Page, facts, form, link, markup, name, warning

_START_AGAIN = markup("Use <code>/link start</code> in Discord again for a new address.")

GONE = Page(
    "This address can no longer be used",
    [
        "It works once and for 10 minutes, and asking for a new one ends the one before.",
        markup("If you have just signed in, <code>/link status</code> in Discord shows whether you are linked."),
        _START_AGAIN,
    ],
    status=HTTPStatus.GONE,
    mood=Mood.WARNING,
)
TAKEN = Page(  # it does not say by whom
    "This Steam account is linked already",
    [
        (
            "You signed in, but this Steam account is linked to another member of that server. "
            "One Steam account belongs to one member. Nothing was changed."
        ),
        markup(
            "If the other member is you, use <code>/link remove</code> there first. If you cannot, for instance "
            "because that member left the server, or if it is not you, tell the staff of the server: with "
            "<code>/link set</code> they can end the other link, and then you can sign in again."
        ),
    ],
    status=HTTPStatus.CONFLICT,
    mood=Mood.BAD,
)
OTHER_BROWSER = Page(
    "Not begun in this browser",
    [
        markup(
            "<strong>Nothing was linked.</strong> This browser did not come from SkinDesk’s own page. If someone sent "
            "you a link to sign in to Steam: they were trying to link your account to theirs."
        ),
        markup(
            "If it was you, open the address from <code>/link start</code> and press the button in the same browser, "
            "with cookies allowed."
        ),
    ],
    status=HTTPStatus.FORBIDDEN,
    mood=Mood.BAD,
)
NOT_FROM_PAGE = Page(
    "Open the page again",
    [
        "This did not come from the page’s own button, or your browser keeps no cookies. Nothing was done.",
        markup(
            "Open the address from <code>/link start</code> again, with cookies allowed, and press the button there."
        ),
    ],
    status=HTTPStatus.FORBIDDEN,
    mood=Mood.BAD,
)
RESTARTING = Page(
    "SkinDesk is restarting",
    [
        "Try again in a minute: your address still works then.",
        markup("If you had signed in already, look at <code>/link status</code> in Discord first."),
    ],
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    mood=Mood.WARNING,
    headers={"Retry-After": "60"},
)
NO_DATABASE = Page(
    "SkinDesk cannot use its database",
    [
        "That is not your mistake. Try again in a few minutes.",
        markup("If you had signed in already, look at <code>/link status</code> in Discord first."),
    ],
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    mood=Mood.WARNING,
    headers={"Retry-After": "60"},
)
NOT_FOUND = Page(
    "There is nothing here",
    [markup("SkinDesk is used in Discord. The address of a Steam sign-in comes from <code>/link start</code> there.")],
    status=HTTPStatus.NOT_FOUND,
)
NOT_UNDERSTOOD = Page("Not understood", ["SkinDesk cannot read that request."], status=HTTPStatus.BAD_REQUEST)
TOO_LARGE = Page("Too large", ["That is more than this page’s form holds."], status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
WRONG_HOST = Page(
    "Reached under another name",
    [
        markup(
            "This is not SkinDesk’s address. For its administrator: the name in the request has to be that of "
            "<code>links.public_url</code>; let the proxy pass on the <code>Host</code> header."
        )
    ],
    status=HTTPStatus.MISDIRECTED_REQUEST,
)
TOO_OFTEN = Page(
    "Too many attempts",
    ["You have signed in too often within an hour. Nothing was linked.", "Try again in an hour."],
    status=HTTPStatus.TOO_MANY_REQUESTS,
    mood=Mood.WARNING,
)
FAILED = Page(
    "Something went wrong in SkinDesk",
    [
        "This is a fault of ours, not of yours.",
        markup(
            "Look at <code>/link status</code> in Discord: if you are not linked, use <code>/link start</code> again."
        ),
    ],
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    mood=Mood.BAD,
)


def ask(pending: PendingSignIn, *, post_to: str, steam_host: str, proof: str) -> Page:
    """Return the page that asks users whether they are the member who is about to be linked."""
    if pending.names is None:
        who = facts(Discord_user=f"id {pending.sign_in.user_id}", Server=f"id {pending.sign_in.guild_id}")
    else:
        member, user = name(pending.names.member), name(f"@{pending.names.user}")
        who = facts(
            Discord_user=markup("$member<br><small>$user</small>", member=member, user=user),
            Server=name(pending.names.guild),
        )
    return Page(
        "Link your Steam account",
        [
            "You are about to link your Steam account to this Discord user:",
            who,
            markup(
                "<strong>Only go on if that is you</strong> and you have just used <code>/link start</code> yourself."
            ),
            warning(
                "Did someone send you this address? Then close the page. They would count as the owner of your Steam "
                "account on that server, see your trades and ask for your items."
            ),
            markup(
                "You sign in at <code>$host</code>: look at your browser’s address bar before you type your password. "
                "SkinDesk never sees it. This page works until $until UTC, once.",
                host=steam_host,
                until=f"{pending.sign_in.expires_at.astimezone(UTC):%H:%M}",
            ),
        ],
        mood=Mood.WARNING,
        action=form("That is me: go on to Steam", post_to, proof=proof),
    )


def linked(finished: FinishedSignIn) -> Page:
    """Return the page of success."""
    if finished.names is None:
        whose = markup("the Discord user with the id <code>$id</code>", id=str(finished.link.user_id))
    else:
        member, guild = name(finished.names.member), name(finished.names.guild)
        whose = markup(
            "the Discord user <strong>$member</strong> on <strong>$guild</strong>", member=member, guild=guild
        )
    account = str(finished.link.steam_id)
    body: list[str | Markup] = [
        markup("SteamID <code>$account</code> is linked to $whose from now on.", account=account, whose=whose)
    ]
    if finished.waits and finished.link.resends_from is not None:
        body.append(_waiting(finished.link.resends_from))
    body.append(
        markup(
            "You can close this page. In Discord, <code>/link status</code> shows the link, and "
            "<code>/link remove</code> ends it."
        )
    )
    return Page("Your Steam account is linked", body, mood=Mood.GOOD)


def _waiting(until: datetime) -> str:
    hours = int(RELINK_COOL_DOWN.total_seconds() // 3600)
    return (
        f"Because the account or the member was linked differently in the last {hours} hours, you can ask for resends "
        f"of your own trades from {until.astimezone(UTC):%-d %B %Y, %H:%M} UTC on. The staff can ask for you before."
    )


def cancelled(back: str) -> Page:
    """Return the page for users who left Steam without signing in."""
    text = "You left Steam without signing in. If that was by mistake, try again."
    return Page("Nothing was linked", [text], action=link("Try again", back))


def refused(problem: str) -> Page:
    """Return the page for an answer of Steam that is wrong; ``problem`` is SkinDesk's own word for it."""
    return Page(
        "Steam’s answer cannot be used",
        [
            "This is not what Steam sends for this sign-in, or it came too late. Nothing was linked.",
            _START_AGAIN,
            markup("If it happens again, tell the staff this word: <code>$problem</code>.", problem=problem),
        ],
        status=HTTPStatus.BAD_REQUEST,
        mood=Mood.BAD,
    )


def unavailable(back: str) -> Page:
    """Return the page for a Steam that does not answer."""
    return Page(
        "Steam does not answer",
        ["Steam could not confirm your sign-in in time. Nothing was linked, and your address still works."],
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        mood=Mood.WARNING,
        action=link("Try again", back),
        headers={"Retry-After": "30"},
    )


def wrong_method(allowed: str) -> Page:
    """Return the page for a method that the address does not have."""
    return Page(
        "Not like that",
        ["This address cannot be used in that way."],
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        headers={"Allow": allowed},
    )
