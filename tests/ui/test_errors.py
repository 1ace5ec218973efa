"""Every explanation of the catalogue, as customers and staff see it."""

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import discord
import pytest
from msgspec.structs import replace as altered

from bot.client import EXTENSIONS
from bot.domain import errors
from bot.domain.access import Capability
from bot.domain.errors import InvalidInput, ProviderError, SkinDeskError
from bot.domain.failures import Dialect, Explanation, Failure, FailureKind, Fixer, ProviderName, TradeUrlCheck
from bot.domain.health import DatabaseFault
from bot.domain.resends import ApproverRefusal, ResendPause
from bot.domain.snapshots import Audience
from bot.domain.steam import Game, TradeUrlProblem
from bot.domain.trades import Direction, KeyLimit, NotResendableReason
from bot.providers.explanations import Catalogue
from bot.ui.errors import _MESSAGES, INPUT_PROBLEMS, error_embed
from bot.ui.explain import explanation_embed
from tests.domain.builders import OWNER, resend, trade
from tests.support.seen import embed_text

for extension in EXTENSIONS:
    import_module(extension)  # each feature registers the messages of its errors

CATALOGUE = Catalogue.load()
ANYONE = ["What you can do", "Who can fix it", "Try again"]
CREDENTIALS = re.compile(r"(?i)\b(api[- ]?keys?|keys?|secrets?|signatures?|credentials?|ip|allow[- ]?list|jwt)\b")


@pytest.mark.parametrize("audience", Audience)
def test_fits_discord(audience: Audience) -> None:
    """No entry is cut, empty or too long for Discord, for either audience."""
    for explanation in CATALOGUE.explanations:
        embed = explanation_embed(explanation, audience=audience)
        sizes = [len(field.value or "") for field in embed.fields]

        assert embed.title
        assert len(embed.title) <= 256
        assert embed.description
        assert all(0 < size <= 1024 for size in sizes)
        assert len(embed) <= 6000
        assert "…" not in embed_text(embed), explanation.key


def test_says_what_to_do() -> None:
    """Every explanation says what to do and when to try again, and who can fix it if that is not the reader."""
    for explanation in CATALOGUE.explanations:
        for audience in Audience:
            names = {field.name for field in explanation_embed(explanation, audience=audience).fields}
            is_the_reader = Fixer.CUSTOMER if audience is Audience.CUSTOMER else Fixer.AGENT

            assert {"What you can do", "Try again"} <= names
            assert ("Who can fix it" in names) == (explanation.fixer is not is_the_reader)


@pytest.mark.parametrize(
    "explanation", [each for each in CATALOGUE.explanations if each.confidential], ids=lambda e: e.key
)
def test_confidential_for_customers(explanation: Explanation) -> None:
    """Of the merchant's own set-up customers learn that staff has to look at it; ``/explain`` repeats the key."""
    happened = embed_text(explanation_embed(explanation, audience=Audience.CUSTOMER, reference="a1b2c3"))
    asked = embed_text(explanation_embed(explanation, audience=Audience.CUSTOMER))

    assert explanation.key not in happened
    for seen in (happened, asked.replace(explanation.key, "")):
        assert explanation.meaning not in seen
        assert CREDENTIALS.search(seen) is None


def test_code_and_key_are_shown() -> None:
    """``/explain`` names an error of a provider by its code and its key, to customers too."""
    for explanation in CATALOGUE.explanations:
        if explanation.dialect is Dialect.SKINDESK:
            continue
        for audience in Audience:
            seen = embed_text(explanation_embed(explanation, audience=audience))

            if explanation.code is not None:
                assert f"`{explanation.code}`" in seen
            assert explanation.known is False or explanation.key.replace("`", "") in seen


ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "option": ("steam_id",),
    "problem": tuple(TradeUrlProblem),
    "capability": tuple(Capability),
    "user_id": (5,),
    "until": (datetime(2026, 1, 1, tzinfo=UTC),),
    "trade_id": ("480101",),
    "limit": (None, KeyLimit(None), KeyLimit(OWNER), KeyLimit(OWNER, per_account=True)),
    "left_out": (0, 1, 2),
    "provider": (ProviderName.MANNCO,),
    "game": (Game.DOTA2,),
    "trade": (trade(),),
    "reason": (*NotResendableReason, *ApproverRefusal),
    "resend": (resend(),),
    "fault": tuple(DatabaseFault),
    "may_be_done": (False, True),
    "was_sent": (True, False, None),
    "differences": (("status",),),
    "pause": (ResendPause(guild_id=1, by=5, at=datetime(2026, 1, 1, tzinfo=UTC)),),
}
"""Something for each thing that an error can be about."""


KINDS: list[type[SkinDeskError]] = [
    *(cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, SkinDeskError)),
]


def every_error() -> Iterator[SkinDeskError]:
    """Make every kind of error that there is, an unknown one and those of each input problem included."""
    for kind in KINDS:
        if kind in (ProviderError, InvalidInput):
            continue
        initialised = next(base for base in kind.__mro__ if "__init__" in vars(base))
        names = list(inspect.signature(kind).parameters) if issubclass(initialised, SkinDeskError) else []
        choices = [ARGUMENTS[name] for name in names]
        for number in range(max([1, *map(len, choices)])):
            arguments = [choice[number % len(choice)] for choice in choices]
            if names == ["reason"] and not isinstance(arguments[0], ApproverRefusal):
                continue
            if names == ["trade", "reason"] and not isinstance(arguments[1], NotResendableReason):
                continue
            yield kind(**dict(zip(names, arguments, strict=True)))
    for problem in (*INPUT_PROBLEMS, "not_linked", "new"):
        yield InvalidInput("steam_id", problem)


def shown(error: Exception, audience: Audience = Audience.CUSTOMER) -> discord.Embed:
    return error_embed(error, audience=audience, explanations=CATALOGUE, reference="a1b2c3")


@pytest.mark.parametrize("error", list(every_error()), ids=repr)
def test_every_error_renders(error: SkinDeskError) -> None:
    """Every refusal says what happened, what to do, when to try again, and its reference."""
    embed = shown(error)
    names = [field.name for field in embed.fields]

    assert embed.title is not None
    assert embed.title.startswith(("⛔ ", "⚠️ "))
    assert embed.description
    assert names in (ANYONE, ["What you can do", "Try again"])
    assert all(field.value not in (None, "", "–") for field in embed.fields)
    assert embed.footer.text == "Reference a1b2c3"


def test_every_error_has_a_message() -> None:
    """No exception is shown with the general message, except those that only the sign-in page meets."""
    on_the_sign_in_page = {errors.SignInRefused, errors.SteamUnavailable}
    bases = {SkinDeskError, errors.NotFound, errors.TooSoon, ProviderError}
    own_messages = tuple(_MESSAGES.keys() - {SkinDeskError, Exception})

    assert {kind for kind in set(KINDS) - bases if not issubclass(kind, own_messages)} == on_the_sign_in_page


def test_unexpected_error() -> None:
    """A fault of SkinDesk's own looks the same, and shows nothing of the exception."""
    embed = shown(RuntimeError("secret detail"))

    assert [field.name for field in embed.fields] == ANYONE
    assert "secret detail" not in embed_text(embed)


def test_facts_for_staff() -> None:
    """Staff see everything that is known of a failed call, and how long it took; a customer sees none of it."""
    failure = Failure(
        ProviderName.ASSETPAY,
        FailureKind.REFUSED,
        code=33,
        key="STEAM_RATE_LIMITED",
        message="slow **down**",
        http_status=429,
        request_id="abc-1",
        place="error",
        took=timedelta(seconds=12.34),
    )
    facts = str(shown(ProviderError(failure), Audience.STAFF).fields[-1].value)

    assert facts == (
        "provider `assetpay` · kind `refused` · code `33` · key `STEAM_RATE_LIMITED` · HTTP `429` · request `abc-1` "
        "· at `error` · took `12.3 s`\nThe provider says: slow \\*\\*down\\*\\*"
    )
    assert "took" not in embed_text(shown(ProviderError(failure)))


@pytest.mark.parametrize(
    ("state", "details", "to_customer", "to_staff"),
    [
        (
            "5",
            (),
            "**The inventory is private**\nIn Steam, open Edit Profile",
            "**The inventory is private**\nAsk the customer",
        ),
        ("1", (), None, "**The trade URL works**\nSteam may still hold"),
        ("1", (("reason.escrowDays", "15"),), "Steam would hold the trade for 15 days.", "for 15 days."),
        ("1", (("bans.vacBanned", "true"),), None, "**The trade URL works**"),
        ("77", (("message", "*new*"),), "**Status not documented: `77`**", "`message`: \\*new\\*"),
    ],
)
def test_check_of_the_trade_url(
    state: str, details: tuple[tuple[str, str], ...], to_customer: str | None, to_staff: str
) -> None:
    """What AssetPay's check says about the trade URL stands beside the error, unless a customer learns nothing."""
    failure = Failure(
        ProviderName.ASSETPAY,
        FailureKind.REFUSED,
        code=7,
        key="USER_NOT_TRADEABLE",
        details=(("bans.vacBanned", "true"),),
        trade_url_check=TradeUrlCheck(state, details),
    )
    for audience, text in ((Audience.CUSTOMER, to_customer), (Audience.STAFF, to_staff)):
        fields = {field.name: str(field.value) for field in shown(ProviderError(failure), audience).fields}
        says = fields.get("What AssetPay's check of the trade URL says")

        assert (says is None) is (text is None)
        assert text is None or text in str(says)
        assert "VAC" not in str(says)
        assert "VAC ban" in fields["What the provider found"]


@pytest.mark.parametrize(
    ("direction", "to_customer", "to_staff"),
    [
        (
            Direction.DEPOSIT,
            "If it has failed, start a new deposit in the shop.",
            "ask the customer to start a new deposit",
        ),
        (
            Direction.WITHDRAWAL,
            "If it has failed, order again in the shop.",
            "ask the customer to order again in the shop.",
        ),
    ],
)
def test_no_resend(direction: Direction, to_customer: str, to_staff: str) -> None:
    """A provider without resends is named, with what to do instead."""
    of = altered(trade(), provider=ProviderName.ASSETPAY_CLIENT, direction=direction)
    error = errors.NotResendable(of, NotResendableReason.NO_RESEND)

    assert "AssetPay has no resend: trade `123456` stays as it is." in embed_text(shown(error))
    assert to_customer in embed_text(shown(error))
    assert to_staff in embed_text(shown(error, Audience.STAFF))


def test_number_of_another_provider() -> None:
    """A number that cannot be Mannco.store's is not looked for among its newest 500."""
    assert "newest 500" in embed_text(shown(errors.TradeNotFound("#480101")))
    assert "numbers have digits only" in embed_text(shown(errors.TradeNotFound("0b5c1111-2222")))


def test_confidential_parts_fit_too() -> None:
    """With the longest of everything behind it an error still fits one embed."""
    long = "*" * 5000
    for explanation in CATALOGUE.explanations:
        provider = next((each for each in ProviderName if each.dialect is explanation.dialect), ProviderName.ASSETPAY)
        failure = Failure(provider, FailureKind.REFUSED, key=explanation.key, message=long, request_id=long, place=long)

        assert len(shown(ProviderError(failure), Audience.STAFF)) <= 6000


@pytest.mark.parametrize("audience", Audience)
def test_no_customer_reads_of_the_customer(audience: Audience) -> None:
    """What customers read speaks to them, not about them."""
    for explanation in CATALOGUE.explanations:
        seen = embed_text(explanation_embed(explanation, audience=audience))

        assert audience is Audience.STAFF or re.search(r"(?i)\bcustomers?\b", seen) is None, explanation.key


def test_a_reference_only_where_there_is_one() -> None:
    """Only an error that just happened asks for its reference: /explain shows none."""
    for explanation in CATALOGUE.explanations:
        asked = embed_text(explanation_embed(explanation, audience=Audience.CUSTOMER))
        happened = embed_text(explanation_embed(explanation, audience=Audience.CUSTOMER, reference="a1b2c3"))

        assert "the reference" not in asked, explanation.key
        is_for_staff = explanation.confidential or explanation.fixer in {Fixer.AGENT, Fixer.ADMINISTRATOR}
        assert ("the reference" in happened) == is_for_staff


def test_an_error_without_a_name() -> None:
    """An error without a key is shown with its number only."""
    failure = Failure(ProviderName.SKINSBACK, FailureKind.REFUSED, code=999_999)

    assert "Error\nSkinsBack · code `999999`\n" in embed_text(shown(ProviderError(failure)))


@pytest.mark.parametrize(
    ("details", "to_both", "to_staff"),
    [
        ((("escrowDays", "15"),), "Steam would hold the trade for 15 days.", ""),
        ((("reason.escrowDays", "1"), ("escrowDays", "0")), "Steam would hold the trade for 1 day.", ""),
        ((("bans.vacBanned", "true"), ("bans.gameBans", "2")), "VAC ban.\nThe Steam account has 2 game bans.", ""),
        ((("economyBan", "probation"), ("vacBanned", "false")), "on probation for trading.", ""),
        ((("economyBan", "banned"), ("gameBans", "0")), "Steam has banned the account from trading.", ""),
        ((("cancellableAt", "1767225600"),), "It can be cancelled (<t:1767225600:R>).", ""),
        ((("cancellableAt", "9" * 30), ("escrowDays", "-1"), ("gameBans", "x")), "", ""),
        (
            (("tradeurl", "must be @everyone"), *((f"a[{n}]", "x" * 900) for n in range(9))),
            "",
            "`tradeurl`: must be \uff20",
        ),
    ],
)
def test_details(details: tuple[tuple[str, str], ...], to_both: str, to_staff: str) -> None:
    """Escrow days, bans and the like are said in words to everybody; other details are for staff, and bounded."""
    failure = Failure(ProviderName.ASSETPAY, FailureKind.REFUSED, code=7, key="USER_NOT_TRADEABLE", details=details)
    for_customer, for_staff = (embed_text(shown(ProviderError(failure), audience)) for audience in Audience)

    for text in (for_customer, for_staff):
        assert to_both in text
        assert ("What the provider found" in text) == bool(to_both)
    assert to_staff in for_staff
    assert "tradeurl" not in for_customer
    assert "and 4 more" in for_staff or not to_staff
    confidential = Failure(ProviderName.SKINSBACK, FailureKind.REFUSED, code=-10, details=details)
    assert "found" not in embed_text(shown(ProviderError(confidential)))
