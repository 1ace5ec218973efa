"""What is wrong with what was pasted for a trade URL, and what to do about it."""

from bot.domain.steam import TradeUrlProblem

SETTINGS_PAGE = "https://steamcommunity.com/my/tradeoffers/privacy"
"""Where people find their own trade URL (providers.md, 5.1)."""

_FIND_IT = f"Open {SETTINGS_PAGE} in your browser, copy the whole link under “Trade URL”, and paste it here."

TRADE_URL_WORDS = {
    TradeUrlProblem.EMPTY: ("There is no trade URL in what you pasted.", _FIND_IT),
    TradeUrlProblem.TOO_LONG: ("That is far longer than a trade URL.", _FIND_IT),
    TradeUrlProblem.NOT_A_LINK: ("That is not a link.", _FIND_IT),
    TradeUrlProblem.STEAM_ID_ONLY: (
        "That is a SteamID. Providers need the trade URL, because it holds the token that lets them look.",
        _FIND_IT,
    ),
    TradeUrlProblem.PROFILE_LINK: ("That is a link to a Steam profile, not a trade URL.", _FIND_IT),
    TradeUrlProblem.OFFER_LINK: (
        "That is a link to one trade offer. A trade URL looks alike but belongs to the account.",
        _FIND_IT,
    ),
    TradeUrlProblem.SETTINGS_PAGE: (
        "That is the address of Steam's settings page, which shows everybody their own settings.",
        "Open that page, scroll to “Trade URL”, copy the link in the box, and paste it here.",
    ),
    TradeUrlProblem.OTHER_STEAM_PAGE: ("That is a Steam page, but not a trade URL.", _FIND_IT),
    TradeUrlProblem.STEAM_CHINA: (
        "That is a trade URL of Steam China. Providers accept links of steamcommunity.com only.",
        _FIND_IT,
    ),
    TradeUrlProblem.LOOKALIKE_HOST: (
        (
            "**Careful: this link does not lead to Steam.** It looks made to be taken for Steam, as phishing sites do. "
            "Do not open it and do not sign in there. If you already did, change your Steam password and revoke "
            "your Steam Web API key."
        ),
        _FIND_IT,
    ),
    TradeUrlProblem.OTHER_HOST: ("That link does not lead to Steam.", _FIND_IT),
    TradeUrlProblem.NO_PARTNER: ("The link has no account number (the part after “partner=”).", _FIND_IT),
    TradeUrlProblem.BAD_PARTNER: ("The account number in the link (after “partner=”) is not a possible one.", _FIND_IT),
    TradeUrlProblem.NO_TOKEN: (
        "The link has no token (the part after “token=”). Without it, it works between friends only.",
        _FIND_IT,
    ),
    TradeUrlProblem.BAD_TOKEN: (
        "The token in the link (after “token=”) is not complete: it has exactly 8 letters, digits, “-” or “_”.",
        _FIND_IT,
    ),
    TradeUrlProblem.REPEATED: ("The link names an account or a token twice.", _FIND_IT),
}
"""What is wrong, and what to do, by the kind of mistake."""
