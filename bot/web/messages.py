"""Every page in words: what happened, and what its reader does next."""

from datetime import UTC, datetime
from http import HTTPStatus

from bot.domain.links import RELINK_COOL_DOWN
from bot.domain.sign_in import PendingSignIn
from bot.services.sign_in import FinishedSignIn
from bot.web.page import Block, Markup, Mood, Page, facts, form, link, markup, name, warning

_START_AGAIN = markup("Use <code>/link start</code> in Discord again for a new address.")


def ask(pending: PendingSignIn, *, post_to: str, steam_host: str, proof: str) -> Page:
    """Return the page that asks whether it is really oneself who is about to be linked."""
    return Page(
        "Link your Steam account",
        [
            "You are about to link your Steam account to this Discord user:",
            _whom(pending),
            markup(
                "<strong>Only go on if that is you</strong> and you have just used <code>/link start</code> yourself."
            ),
            warning(
                "Did somebody send you this address? Then close the page. They would count as the owner of your Steam "
                "account on that server, see your trades and ask for your items."
            ),
            markup(
                "You sign in at <code>$host</code>: look at your browser’s address bar before you type your password. "
                "SkinDesk never sees it. This page works until $until UTC, once.",
                host=steam_host,
                until=_clock(pending.sign_in.expires_at),
            ),
        ],
        mood=Mood.WARNING,
        action=form("That is me: go on to Steam", post_to, proof=proof),
    )


def linked(finished: FinishedSignIn) -> Page:
    """Return the page of success."""
    account = markup("<code>$account</code>", account=str(finished.link.steam_id))
    if finished.names is None:
        whose = markup("the Discord user with the id <code>$id</code>", id=str(finished.link.user_id))
    else:
        whose = markup(
            "the Discord user <strong>$member</strong> on <strong>$guild</strong>",
            member=name(finished.names.member),
            guild=name(finished.names.guild),
        )
    body: list[str | Markup] = [
        markup("SteamID $account is linked to $whose from now on.", account=account, whose=whose)
    ]
    until = finished.link.resends_from
    if finished.waits and until is not None:
        hours = int(RELINK_COOL_DOWN.total_seconds() // 3600)
        body.append(
            f"Because the account or the member was linked differently in the last {hours} hours, you can ask for "
            f"resends of your own trades from {until.astimezone(UTC):%-d %B %Y, %H:%M} UTC on. "
            "The staff can ask for you before."
        )
    body.append(
        markup(
            "You can close this page. In Discord, <code>/link status</code> shows the link, and "
            "<code>/link remove</code> ends it."
        )
    )
    return Page("Your Steam account is linked", body, mood=Mood.GOOD)


def gone() -> Page:
    """Return the page of an address that was used, is too old, or never was."""
    return Page(
        "This address can no longer be used",
        [
            "It works once and for 10 minutes, and asking for a new one ends the one before.",
            markup("If you have just signed in, <code>/link status</code> in Discord shows whether you are linked."),
            _START_AGAIN,
        ],
        status=HTTPStatus.GONE,
        mood=Mood.WARNING,
    )


def cancelled(back: str) -> Page:
    """Return the page for whoever went back at Steam."""
    return Page(
        "Nothing was linked",
        ["You left Steam without signing in. If that was by mistake, try again."],
        action=link("Try again", back),
    )


def taken() -> Page:
    """Return the page for an account that is another member's. It does not say whose."""
    return Page(
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


def refused(problem: str) -> Page:
    """Return the page for what came back and cannot be believed; ``problem`` is SkinDesk's own word."""
    return Page(
        "Steam’s answer cannot be used",
        [
            "What came back is not what Steam sends for this sign-in, or it came too late. Nothing was linked.",
            _START_AGAIN,
            markup("If it happens again, tell the staff this word: <code>$problem</code>.", problem=problem),
        ],
        status=HTTPStatus.BAD_REQUEST,
        mood=Mood.BAD,
    )


def other_browser() -> Page:
    """Return the page for whoever comes back from Steam without having been asked by the page before."""
    return Page(
        "Not begun in this browser",
        [
            markup(
                "<strong>Nothing was linked.</strong> This browser did not come from SkinDesk’s own page. If somebody "
                "sent you a link to sign in to Steam: they were trying to link your account to theirs."
            ),
            markup(
                "If it was you, open the address from <code>/link start</code> and press the button in the same "
                "browser, with cookies allowed."
            ),
        ],
        status=HTTPStatus.FORBIDDEN,
        mood=Mood.BAD,
    )


def not_from_page() -> Page:
    """Return the page for a button that was not pressed on the page."""
    return Page(
        "Open the page again",
        [
            "This did not come from the page’s own button, or your browser keeps no cookies. Nothing was done.",
            markup(
                "Open the address from <code>/link start</code> again, with cookies allowed, and press the button "
                "there."
            ),
        ],
        status=HTTPStatus.FORBIDDEN,
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


def restarting() -> Page:
    """Return the page while SkinDesk stops."""
    return Page(
        "SkinDesk is restarting",
        [
            "Try again in a minute: your address still works then.",
            markup("If you had signed in already, look at <code>/link status</code> in Discord first."),
        ],
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        mood=Mood.WARNING,
        headers={"Retry-After": "60"},
    )


def not_found() -> Page:
    """Return the page for any other address."""
    return Page(
        "There is nothing here",
        [
            markup(
                "SkinDesk is used in Discord. The address of a Steam sign-in comes from <code>/link start</code> there."
            )
        ],
        status=HTTPStatus.NOT_FOUND,
    )


def wrong_method(allowed: str) -> Page:
    """Return the page for a method that the address does not have."""
    return Page(
        "Not like that",
        ["This address cannot be used in that way."],
        status=HTTPStatus.METHOD_NOT_ALLOWED,
        headers={"Allow": allowed},
    )


def not_understood() -> Page:
    """Return the page for a request that makes no sense."""
    return Page("Not understood", ["That was no request that SkinDesk can read."], status=HTTPStatus.BAD_REQUEST)


def too_large() -> Page:
    """Return the page for a request with more in it than any form here has."""
    return Page("Too large", ["That is more than this page’s form holds."], status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def wrong_host() -> Page:
    """Return the page for a request under a name that is not ours."""
    return Page(
        "Reached under another name",
        [
            markup(
                "This is not the address that SkinDesk goes by. For its administrator: the name in the request has to "
                "be that of <code>links.public_url</code>; let the proxy pass on the <code>Host</code> header."
            )
        ],
        status=HTTPStatus.MISDIRECTED_REQUEST,
    )


def failed() -> Page:
    """Return the page for a fault of our own."""
    return Page(
        "Something went wrong in SkinDesk",
        [
            "This is a fault of ours, not of yours.",
            markup(
                "Look at <code>/link status</code> in Discord: if you are not linked, use <code>/link start</code> "
                "again."
            ),
        ],
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        mood=Mood.BAD,
    )


def _whom(pending: PendingSignIn) -> Block:
    if pending.names is None:
        sign_in = pending.sign_in
        return facts(Discord_user=f"id {sign_in.user_id}", Server=f"id {sign_in.guild_id}")
    who = markup(
        "$member<br><small>$user</small>", member=name(pending.names.member), user=name(f"@{pending.names.user}")
    )
    return facts(Discord_user=who, Server=name(pending.names.guild))


def _clock(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M}"
