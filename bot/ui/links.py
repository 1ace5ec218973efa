"""Pages and messages about links, Steam sign-in and trade URLs."""

import discord

from bot.domain.errors import LinkTooNew, NotLinked, SignInOff, SteamAccountTaken, TradeUrlRejected
from bot.domain.links import Link, LinkSource
from bot.domain.snapshots import Audience
from bot.domain.steam import TradeUrlProblem
from bot.services.links import NO_ACCOUNT
from bot.services.sign_in import StartedSignIn
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import relative

_STAFF_CAN_ASK = "A member with `resend.any` can ask for them before"


def start_embed(started: StartedSignIn) -> discord.Embed:
    """Return the page above the link to the sign-in page."""
    return card(
        title="Link your Steam account",
        description=(
            "The button opens SkinDesk’s page in your browser; from there you sign in at Steam. "
            "SkinDesk learns your SteamID and nothing else.\n\n"
            f"It works once, and ends {relative(started.expires_at)}. **Give the address to no one, and open none that "
            "someone sent you:** it links the person who signs in there to the person who asked for it."
        ),
        colour=Tone.NEUTRAL,
    )


def start_view(started: StartedSignIn) -> discord.ui.View:
    """Return the link button. Discord opens it without an interaction."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Open the page", url=started.address.reveal()))
    return view


def used_embed() -> discord.Embed:
    """Return the page that replaces the link after the sign-in."""
    return card(title="Link your Steam account", description="This sign-in is done.", colour=Tone.NEUTRAL)


def signed_in_embed(link: Link) -> discord.Embed:
    """Return the page about a finished sign-in."""
    return card(
        title="✅ Your Steam account is linked",
        description=(f"SteamID `{link.steam_id}` is yours on this server from now on.\n{wait_sentence(link)}".strip()),
        colour=Tone.GOOD,
    )


def removed_embed(link: Link | None) -> discord.Embed:
    """Return the page about a removed link, or that there is none."""
    if link is None:
        return card(
            title="No Steam account is linked to you",
            description=(
                "Use `/link start`, or ask the staff here to link it: tell them your SteamID or trade URL in private."
            ),
            colour=Tone.NEUTRAL,
        )
    return card(
        title="✅ Removed",
        description=f"SteamID `{link.steam_id}` is no longer linked to you on this server.",
        colour=Tone.GOOD,
    )


def wait_sentence(link: Link, *, whose: str = "your own") -> str:
    """Return when own resends can be requested and codes are shown, or "" if there is no wait."""
    if link.resends_from is None:
        return ""
    since = relative(link.resends_from)
    sentence = f"⏳ Resends of {whose} trades can be asked for {since}. {_STAFF_CAN_ASK}."
    if link.source is LinkSource.SIGN_IN or link.is_self_made:
        return sentence
    return f"{sentence} Their codes are shown {since} too, or at once after `/link start`, which proves the account."


def origin(link: Link) -> str:
    """Return who or what made a link, and when."""
    if link.source is LinkSource.SIGN_IN:
        return f"by signing in through Steam {relative(link.linked_at)}"
    return f"set by the staff: <@{link.linked_by}> {relative(link.linked_at)}"


_TRADE_URL_PAGE = "https://steamcommunity.com/my/tradeoffers/privacy"

_FIND_IT = f"Open {_TRADE_URL_PAGE} in your browser, copy the whole link under “Trade URL”, and paste it here."
# Not a link: it would open the reader's own page.
_ASK_FOR_IT = f"Ask the customer for their trade URL. They find it at `{_TRADE_URL_PAGE}`, under “Trade URL”."

_TRADE_URL_PROBLEMS = {
    TradeUrlProblem.EMPTY: "There is no trade URL in what you pasted.",
    TradeUrlProblem.TOO_LONG: "There is no trade URL in what you pasted, and it is far longer than one.",
    TradeUrlProblem.NOT_A_LINK: "That is not a link.",
    TradeUrlProblem.STEAM_ID_ONLY: (
        "That is a SteamID. Providers need the trade URL, because it holds the token that lets them look."
    ),
    TradeUrlProblem.PROFILE_LINK: "That is a link to a Steam profile, not a trade URL.",
    TradeUrlProblem.OFFER_LINK: (
        "That is a link to one trade offer. A trade URL looks alike but belongs to the account."
    ),
    TradeUrlProblem.SETTINGS_PAGE: (
        "That is the address of the page that shows everyone their own trade URL. It is not the trade URL itself."
    ),
    TradeUrlProblem.OTHER_STEAM_PAGE: "That is a Steam page, but not a trade URL.",
    TradeUrlProblem.STEAM_CHINA: (
        "That is a trade URL of Steam China. Providers accept links of steamcommunity.com only."
    ),
    TradeUrlProblem.LOOKALIKE_HOST: (
        "**Careful: this link does not lead to Steam.** It looks made to be taken for Steam, as phishing sites do. "
        "Do not open it and do not sign in there."
    ),
    TradeUrlProblem.OTHER_HOST: "That link does not lead to Steam's trade page.",
    TradeUrlProblem.NO_PARTNER: "The link has no account number (the part after “partner=”).",
    TradeUrlProblem.BAD_PARTNER: "The account number in the link (after “partner=”) is not a possible one.",
    TradeUrlProblem.NO_TOKEN: (
        "The link has no token (the part after “token=”). Without it, it works between friends only."
    ),
    TradeUrlProblem.BAD_TOKEN: (
        "The token in the link (after “token=”) is not complete: it has exactly 8 letters, digits, “-” or “_”."
    ),
    TradeUrlProblem.REPEATED: "The link names an account or a token twice.",
    TradeUrlProblem.SEVERAL: "What you pasted holds different trade URLs, and only one can be meant.",
}

_STEPS_FOR_CUSTOMERS = {
    TradeUrlProblem.SETTINGS_PAGE: (
        "Open that page, scroll to “Trade URL”, copy the link in the box, and paste it here."
    ),
    TradeUrlProblem.LOOKALIKE_HOST: (
        f"If you already signed in there, change your Steam password and revoke your Steam Web API key. {_FIND_IT}"
    ),
    TradeUrlProblem.SEVERAL: f"Paste only your own. {_FIND_IT}",
}
_STEPS_FOR_STAFF = {
    TradeUrlProblem.LOOKALIKE_HOST: (
        "Warn the customer: if they already signed in there, they should change their Steam password and revoke their "
        f"Steam Web API key. {_ASK_FOR_IT}"
    ),
    TradeUrlProblem.SEVERAL: f"Paste only the customer's. {_ASK_FOR_IT}",
}


def _trade_url_rejected(error: TradeUrlRejected, audience: Audience) -> ErrorMessage:
    problem = error.trade_url_problem
    several = problem is TradeUrlProblem.SEVERAL
    return ErrorMessage(
        "Which trade URL is it?" if several else "That is not a trade URL",
        _TRADE_URL_PROBLEMS[problem],
        _STEPS_FOR_STAFF.get(problem, _ASK_FOR_IT)
        if audience is Audience.STAFF and not error.has_to_be_own
        else _STEPS_FOR_CUSTOMERS.get(problem, _FIND_IT),
    )


register_messages(
    {
        TradeUrlRejected: _trade_url_rejected,
        NotLinked: ErrorMessage(
            "No Steam account is linked to you",
            "You may see and do this for your own Steam account, but SkinDesk does not know yet which one it is.",
            "Use `/link start`, or ask a support agent here: tell them your SteamID or trade URL in private.",
            "A support agent with `links.manage`, with `/link set`",
            "As soon as `/link status` shows your account.",
        ),
        SteamAccountTaken: lambda error, _: ErrorMessage(
            "This Steam account is linked already",
            f"It belongs to <@{error.user_id}> on this server. One Steam account belongs to one member.",
            "Find out whose it is. If the link is wrong, its holder removes it with `/link remove`. If they "
            f"cannot, for instance because they left, end it with `/link set member:{error.user_id} "
            f"steam:{NO_ACCOUNT}`.",
            "The member who has the link now, or a member with `links.manage`",
            "Once the link is ended.",
        ),
        LinkTooNew: lambda error, _: ErrorMessage(
            "Your Steam account was linked too recently",
            "You, or this account, were linked differently not long ago. Until the wait is over you cannot ask for "
            "resends of your own trades, so that no one profits from an account they took over. Nothing was asked.",
            f"Ask again {relative(error.until)}.",
            _STAFF_CAN_ASK,
        ),
        SignInOff: ErrorMessage(
            "Steam sign-in is not set up here",
            "The staff links accounts by hand. Nothing was done.",
            "Ask a support agent here to link yours, and tell them your SteamID or trade URL in private.",
            "A support agent with `links.manage`, with `/link set`",
        ),
    }
)
