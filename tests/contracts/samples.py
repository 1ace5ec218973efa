"""Made-up requests, links and snapshots for the contract suites."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.domain.failures import Failure, FailureKind, ProviderName
from bot.domain.inventory import Inventory, InventoryFilter, Item, Refusal, Sort, Sticker
from bot.domain.money import Money
from bot.domain.references import ErrorReference
from bot.domain.resends import Outcome, Resend, ResendState, Settlement, TradeFacts
from bot.domain.secrets import TradeCode
from bot.domain.snapshots import Audience, InventoryAnswer, ProviderAnswer, Snapshot, TradesAnswer, TradesPart
from bot.domain.steam import Game, SteamId
from bot.domain.trades import Scope, Trade
from bot.domain.watches import KEPT_FOR, Watch
from bot.ports.resends import ResendRepository
from tests.domain import builders

GUILD = 900_000_000_000_000_001
OTHER_GUILD = 900_000_000_000_000_002
ADA, BEN, CLEO = 800_000_000_000_000_001, 800_000_000_000_000_002, 800_000_000_000_000_003
CHANNEL, MESSAGE = 600_000_000_000_000_001, 600_000_000_000_000_002
ADAS_ACCOUNT, BENS_ACCOUNT = SteamId.from_account_id(11), SteamId.from_account_id(12)
NOW = datetime(2026, 3, 29, 0, 59, 59, 987_000, tzinfo=UTC)
LATER = NOW + timedelta(hours=2)

FACTS = TradeFacts(
    status=7,
    items_send=("31000000001", "31000000002"),
    items_received=(),
    offer_id="5812345678",
    last_error="The trade offer was cancelled (7)",
    code_digest=TradeCode("K7QX").digest(),
    created_at=NOW - timedelta(days=3),
    game=Game.CS2,
    bot=BENS_ACCOUNT,
)


def draft(*, trade_id: int = 4812, guild_id: int = GUILD, provider: ProviderName = ProviderName.MANNCO) -> Resend:
    return Resend(
        id=0,
        guild_id=guild_id,
        provider=provider,
        trade_id=trade_id,
        owner=ADAS_ACCOUNT,
        owner_user_id=ADA,
        requested_by=ADA,
        reason="the bot was offline",
        state=ResendState.PENDING,
        facts=FACTS,
        version=1,
        requested_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )


async def opened(
    resends: ResendRepository, *, trade_id: int = 4812, guild_id: int = GUILD, asked_for: Resend | None = None
) -> Resend:
    """Open a request whose card is posted, and return it."""
    resend = await resends.open(asked_for or draft(trade_id=trade_id, guild_id=guild_id))
    assert resend is not None
    await resends.attach_card(
        resend.guild_id, resend.id, channel_id=CHANNEL, message_id=MESSAGE, version=resend.version
    )
    posted = await resends.get(resend.guild_id, resend.id)
    assert posted is not None
    return posted


async def in_state(
    resends: ResendRepository,
    state: ResendState,
    *,
    trade_id: int = 4812,
    asked_for: Resend | None = None,
    at: datetime = LATER,
) -> Resend:
    """Bring a new request into ``state`` on the shortest way and return it."""
    resend: Resend | None = await opened(resends, trade_id=trade_id, asked_for=asked_for)
    assert resend is not None
    one = (resend.guild_id, resend.id)
    if state in (ResendState.DENIED, ResendState.EXPIRED, ResendState.CANCELLED):
        match state:
            case ResendState.DENIED:
                resend = await resends.deny(*one, by=BEN, reason="not now", at=at)
            case ResendState.EXPIRED:
                resend = await resends.expire(*one, at=at)
            case ResendState.CANCELLED:
                resend = await resends.cancel(*one, at=at, reason="card_not_posted")
    elif state is not ResendState.PENDING:
        resend = await resends.approve(*one, version=1, by=BEN, at=at)
        if state is not ResendState.APPROVED:
            resend = await resends.begin_sending(*one, at=at)
        if state is ResendState.UNKNOWN:
            resend = await resends.mark_unknown(
                *one, worker=resend.worker if resend else None, outcome=Outcome.ANSWER_LOST, detail="timed_out", at=at
            )
        if state in (ResendState.SENT, ResendState.FAILED):
            resend = await resends.settle(
                *one, Settlement(sent=state is ResendState.SENT, outcome=Outcome.CONFIRMED), at=at
            )
    assert resend is not None
    assert resend.state is state
    return resend


def trade(*, trade_id: int = 4812, code: str | None = "K7QX") -> Trade:
    return builders.trade(
        id=trade_id,
        owner=ADAS_ACCOUNT,
        status=7,
        items_send=("31000000001",),
        bot=BENS_ACCOUNT,
        offer_id="5812345678",
        created_at=NOW,
        code=TradeCode(code) if code is not None else None,
        last_error="cancelled",
        game=Game.TF2,
    )


FAILURE = Failure(
    ProviderName.SKINSBACK,
    FailureKind.THROTTLED,
    http_status=429,
    retry_after=timedelta(seconds=9),
    took=timedelta(seconds=13),
)


def trades_answer() -> TradesAnswer:
    return TradesAnswer(
        scope=Scope.ALL,
        steam_id=ADAS_ACCOUNT,
        viewer=ADAS_ACCOUNT,
        parts=(
            TradesPart(ProviderName.MANNCO, is_full=True),
            TradesPart(ProviderName.SKINSBACK, failure=FAILURE, reference="a1b2c3"),
        ),
        trades=(trade(), trade(trade_id=4813, code=None)),
        read_at=NOW,
    )


def inventory_answer() -> InventoryAnswer:
    knife = Item(
        id="31000000001",
        name="★ Karambit | Doppler",
        refusal=None,
        app_id=730,
        offer=Money(Decimal("812.50")),
        wear=Decimal("0.0123456789012345"),
        stickers=(Sticker("Crown (Foil)", 2, Decimal("0.5")),),
    )
    case = Item(id="31000000002", name="Case", refusal=Refusal.NO_OFFER, amount=40, max_amount=10)
    inventory = Inventory(ProviderName.ASSETPAY, ADAS_ACCOUNT, Game.CS2, (knife, case), 2, NOW)
    return InventoryAnswer(
        owner=ADAS_ACCOUNT,
        game=Game.CS2,
        filter=InventoryFilter("karambit", Sort.PRICE_DESC, Decimal(1), Decimal("1e3")),
        answers=(
            ProviderAnswer(ProviderName.ASSETPAY, inventory=inventory),
            ProviderAnswer(ProviderName.SKINSBACK, failure=FAILURE, reference="a1b2c3"),
        ),
        linked_user_id=ADA,
    )


def snapshot(
    snapshot_id: str = "p-1",
    *,
    guild_id: int = GUILD,
    user_id: int = ADA,
    answer: InventoryAnswer | TradesAnswer | None = None,
    expires_at: datetime = LATER,
) -> Snapshot:
    shown = inventory_answer() if answer is None else answer
    return Snapshot(snapshot_id, guild_id, user_id, Audience.STAFF, shown, NOW, expires_at)


def watch(*, guild_id: int = GUILD, user_id: int = ADA, trade_id: str = "678431", at: datetime = NOW) -> Watch:
    """Return a watch that is not stored."""
    return Watch(
        id=0,
        guild_id=guild_id,
        user_id=user_id,
        provider=ProviderName.SKINSBACK,
        trade_id=trade_id,
        owner=ADAS_ACCOUNT,
        standing="held",
        notified_at=at,
        began_at=at,
        expires_at=at + KEPT_FOR,
    )


def error(
    reference: str = "041ee7",
    *,
    guild_id: int = GUILD,
    user_id: int = ADA,
    at: datetime = NOW,
    title: str = "⚠️ Too many",
    failure: Failure | None = None,
) -> ErrorReference:
    return ErrorReference(guild_id, reference, user_id, at, "inventory", "ProviderError", title, failure)


def without_codes(snapshot: Snapshot) -> Snapshot:
    """Return what may come back of a snapshot."""
    answer = snapshot.answer
    return replace(snapshot, answer=builders.without_codes(answer)) if isinstance(answer, TradesAnswer) else snapshot
