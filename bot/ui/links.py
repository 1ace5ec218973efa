"""Pages and messages about links, Steam sign-in and trade URLs."""

import discord

from bot.domain.errors import LinkTooNew, NotLinked, SignInOff, SteamAccountTaken, TradeUrlRejected
from bot.domain.links import Link, LinkSource
from bot.domain.snapshots import Audience
from bot.domain.steam import TradeUrlProblem
from bot.languages import Message, paragraph, t
from bot.services.links import NO_ACCOUNT
from bot.services.sign_in import StartedSignIn
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.kit.layout import Tone, card
from bot.ui.kit.text import relative

_AGENT = Message("A support agent with `links.manage`, with `/link set`")


def start_embed(started: StartedSignIn) -> discord.Embed:
    """Return the page above the link to the sign-in page."""
    return card(
        title=t("Link your Steam account"),
        description="\n\n".join(
            (
                t(
                    "The button opens SkinDesk’s page in your browser. From there you sign in at Steam. "
                    "SkinDesk learns your SteamID and nothing else."
                ),
                t("The address works once. It expires: {when}.", when=relative(started.expires_at)),
                t(
                    "**Give the address to no one, and open none that someone sent you:** it links the person who "
                    "signs in there to the person who asked for it."
                ),
            )
        ),
        colour=Tone.NEUTRAL,
    )


def start_view(started: StartedSignIn) -> discord.ui.View:
    """Return the link button. Discord opens it without an interaction."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label=t("Open the page"), url=started.address.reveal()))
    return view


def used_embed() -> discord.Embed:
    """Return the page that replaces the link after the sign-in."""
    return card(title=t("Link your Steam account"), description=t("This sign-in is done."), colour=Tone.NEUTRAL)


def signed_in_embed(link: Link) -> discord.Embed:
    """Return the page about a finished sign-in."""
    lines = [
        t("SteamID `{account}` is yours on this server from now on.", account=link.steam_id),
        own_wait(link),
    ]
    return card(
        title=t("✅ Your Steam account is linked"), description="\n".join(filter(None, lines)), colour=Tone.GOOD
    )


def removed_embed(link: Link | None) -> discord.Embed:
    """Return the page about a removed link, or that there is none."""
    if link is None:
        return card(
            title=t("No Steam account is linked to you"),
            description=t(
                "Use `/link start`, or ask the staff here to link it: tell them your SteamID or trade URL in private."
            ),
            colour=Tone.NEUTRAL,
        )
    return card(
        title=t("✅ Removed"),
        description=t("SteamID `{account}` is no longer linked to you on this server.", account=link.steam_id),
        colour=Tone.GOOD,
    )


def own_wait(link: Link) -> str:
    """Return, for the member of a link, how long they wait for resends and codes; "" if they do not."""
    if link.resends_from is None:
        return ""
    sentences = [
        t(
            "⏳ You can ask for resends of your own trades later: {when}.",
            when=relative(link.resends_from),
        ),
        t("The staff can ask for you before."),
    ]
    if _hides_codes(link):
        sentences.append(
            t(
                "The codes of your trades are hidden until then too. To see them at once, use `/link start`: it "
                "proves that the account is yours."
            )
        )
    return paragraph(*sentences)


def their_wait(link: Link) -> str:
    """Return, for the staff, how long the member of a link waits; "" if they do not."""
    if link.resends_from is None:
        return ""
    sentences = [
        t(
            "⏳ The member can ask for resends of their own trades later: {when}.",
            when=relative(link.resends_from),
        ),
        t("A member with `resend.any` can ask for them before."),
    ]
    if _hides_codes(link):
        sentences.append(
            t(
                "The codes of their trades are hidden until then too. To see them at once, the member uses "
                "`/link start`, which proves the account."
            )
        )
    return paragraph(*sentences)


def _hides_codes(link: Link) -> bool:
    return link.source is not LinkSource.SIGN_IN and not link.is_self_made


def origin(link: Link) -> str:
    """Return who or what made a link, and when."""
    when = relative(link.linked_at)
    if link.source is LinkSource.SIGN_IN:
        return t("Linked by signing in at Steam ({when})", when=when)
    return t("Linked by the staff: {member} ({when})", member=f"<@{link.linked_by}>", when=when)


_TRADE_URL_PAGE = "https://steamcommunity.com/my/tradeoffers/privacy"

_FIND_IT = Message("Open {page} in your browser, copy the whole link under “Trade URL”, and paste it here.")
# Not a link: it would open the reader's own page.
_ASK_FOR_IT = Message("Ask the customer for their trade URL. They find it at `{page}`, under “Trade URL”.")

_TRADE_URL_PROBLEMS = {
    TradeUrlProblem.EMPTY: Message("There is no trade URL in what you pasted."),
    TradeUrlProblem.TOO_LONG: Message("There is no trade URL in what you pasted. It is also far too long for one."),
    TradeUrlProblem.NOT_A_LINK: Message("That is not a link."),
    TradeUrlProblem.STEAM_ID_ONLY: Message(
        "That is a SteamID. Providers need the trade URL, because its token lets them see the inventory."
    ),
    TradeUrlProblem.PROFILE_LINK: Message("That is a link to a Steam profile, not a trade URL."),
    TradeUrlProblem.OFFER_LINK: Message(
        "That is a link to one trade offer. A trade URL looks similar, but it belongs to the account."
    ),
    TradeUrlProblem.SETTINGS_PAGE: Message(
        "That is the address of the page that shows everyone their own trade URL. It is not the trade URL itself."
    ),
    TradeUrlProblem.OTHER_STEAM_PAGE: Message("That is a Steam page, but not a trade URL."),
    TradeUrlProblem.STEAM_CHINA: Message(
        "That is a trade URL of Steam China. Providers accept links of steamcommunity.com only."
    ),
    TradeUrlProblem.LOOKALIKE_HOST: Message(
        "**Careful: this link does not lead to Steam.** Its address imitates Steam's, as phishing sites do. "
        "Do not open it and do not sign in there."
    ),
    TradeUrlProblem.OTHER_HOST: Message("That link does not lead to Steam's trade page."),
    TradeUrlProblem.NO_PARTNER: Message("The link has no account number (the part after “partner=”)."),
    TradeUrlProblem.BAD_PARTNER: Message("The account number in the link (after “partner=”) is not a possible one."),
    TradeUrlProblem.NO_TOKEN: Message(
        "The link has no token (the part after “token=”). A link without a token works between friends only."
    ),
    TradeUrlProblem.BAD_TOKEN: Message(
        "The token in the link (after “token=”) is not complete. A token has exactly 8 letters, digits, “-” or “_”."
    ),
    TradeUrlProblem.REPEATED: Message("The link names an account or a token twice."),
    TradeUrlProblem.SEVERAL: Message("There are several trade URLs in what you pasted. SkinDesk needs exactly one."),
}

_STEPS_FOR_CUSTOMERS = {
    TradeUrlProblem.LOOKALIKE_HOST: Message(
        "If you already signed in there, change your Steam password and revoke your Steam Web API key."
    ),
    TradeUrlProblem.SEVERAL: Message("Paste only your own."),
}
_STEPS_FOR_STAFF = {
    TradeUrlProblem.LOOKALIKE_HOST: Message(
        "Warn the customer: if they already signed in there, they should change their Steam password and revoke their "
        "Steam Web API key."
    ),
    TradeUrlProblem.SEVERAL: Message("Paste only the customer's."),
}
"""What comes first, before the way to the trade URL."""


def _trade_url_rejected(error: TradeUrlRejected, audience: Audience) -> ErrorMessage:
    problem = error.trade_url_problem
    if audience is Audience.STAFF and not error.has_to_be_own:
        first, way = _STEPS_FOR_STAFF.get(problem), _ASK_FOR_IT(page=_TRADE_URL_PAGE)
    elif problem is TradeUrlProblem.SETTINGS_PAGE:
        first, way = None, t("Open that page, scroll to “Trade URL”, copy the link in the box, and paste it here.")
    else:
        first, way = _STEPS_FOR_CUSTOMERS.get(problem), _FIND_IT(page=_TRADE_URL_PAGE)
    return ErrorMessage(
        t("Which trade URL is it?") if problem is TradeUrlProblem.SEVERAL else t("That is not a trade URL"),
        _TRADE_URL_PROBLEMS[problem](),
        paragraph("" if first is None else first, way),
    )


register_messages(
    {
        TradeUrlRejected: _trade_url_rejected,
        NotLinked: ErrorMessage(
            Message("No Steam account is linked to you"),
            Message(
                "You may see and do this for your own Steam account, but SkinDesk does not know yet which one it is."
            ),
            Message("Use `/link start`, or ask a support agent here: tell them your SteamID or trade URL in private."),
            _AGENT,
            Message("As soon as `/link status` shows your account."),
        ),
        SteamAccountTaken: lambda error, _: ErrorMessage(
            t("This Steam account is linked already"),
            t(
                "It belongs to {member} on this server. One Steam account belongs to one member.",
                member=f"<@{error.user_id}>",
            ),
            t(
                "Find out whose it is. If the link is wrong, its holder removes it with `/link remove`. If they "
                "cannot, for instance because they left, end it with {command}.",
                command=f"`/link set member:{error.user_id} steam:{NO_ACCOUNT}`",
            ),
            t("The member who has the link now, or a member with `links.manage`"),
            t("Once the link is ended."),
        ),
        LinkTooNew: lambda error, _: ErrorMessage(
            t("Your Steam account was linked too recently"),
            t(
                "You had another Steam account not long ago, or this account belonged to another member. Until the "
                "wait is over you cannot ask for resends of your own trades. This protects the owner of an account "
                "that someone took over. Nothing was requested."
            ),
            t("Ask again when the wait is over, or ask the staff to do it for you."),
            t("A member with `resend.any`"),
            relative(error.until),
        ),
        SignInOff: ErrorMessage(
            Message("Steam sign-in is not set up here"),
            Message("The staff links accounts by hand. Nothing was done."),
            Message("Ask a support agent here to link yours, and tell them your SteamID or trade URL in private."),
            _AGENT,
        ),
    }
)
