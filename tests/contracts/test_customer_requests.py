"""Each ResendRepository finds the requests about a customer, and the newest ones for trades."""

from dataclasses import replace

from bot.domain.failures import ProviderName
from bot.domain.resends import Resend, ResendState
from bot.domain.steam import SteamId
from bot.ports.resends import ResendRepository
from tests.contracts.samples import (
    ADA,
    ADAS_ACCOUNT,
    BEN,
    BENS_ACCOUNT,
    CLEO,
    GUILD,
    LATER,
    OTHER_GUILD,
    draft,
    in_state,
)


async def test_of_customer(resends: ResendRepository) -> None:
    """Found are those for the account's trades and for the member's, newest first, and none of the member's for others.

    One whose card could never be posted is left out, as in the daily limit.
    """

    async def asked(number: int, owner: SteamId, user_id: int | None, *, guild_id: int = GUILD) -> Resend:
        wanted = replace(draft(trade_id=number), guild_id=guild_id, owner=owner, owner_user_id=user_id)
        return await in_state(resends, ResendState.DENIED, asked_for=replace(wanted, requested_by=CLEO), at=LATER)

    of_account = await asked(1, ADAS_ACCOUNT, None)
    of_member = await asked(2, BENS_ACCOUNT, ADA)
    of_ben = await asked(3, BENS_ACCOUNT, BEN)
    await asked(4, ADAS_ACCOUNT, ADA, guild_id=OTHER_GUILD)
    never_posted = await resends.open(draft(trade_id=5))
    assert never_posted is not None
    await resends.cancel(GUILD, never_posted.id, at=LATER, reason="card_not_posted")

    assert await resends.of_customer(GUILD, owner=ADAS_ACCOUNT, user_id=ADA, limit=9) == (of_member, of_account)
    assert await resends.of_customer(GUILD, owner=None, user_id=ADA, limit=9) == (of_member,)
    assert await resends.of_customer(GUILD, owner=BENS_ACCOUNT, user_id=None, limit=1) == (of_ben,)
    assert await resends.of_customer(GUILD, owner=None, user_id=CLEO, limit=9) == ()


async def test_newest_of_trades(resends: ResendRepository) -> None:
    """Found is the newest of each trade, open or ended, of this guild; one whose card was never posted is left out."""

    async def asked(number: int, state: ResendState, guild_id: int = GUILD) -> Resend:
        return await in_state(resends, state, asked_for=replace(draft(trade_id=number), guild_id=guild_id), at=LATER)

    await asked(1, ResendState.SENT)
    denied = await asked(1, ResendState.DENIED)
    await asked(2, ResendState.DENIED)
    standing = await resends.open(draft(trade_id=2))
    await asked(3, ResendState.DENIED, OTHER_GUILD)
    never_posted = await resends.open(draft(trade_id=1))
    assert standing is not None
    assert never_posted is not None
    await resends.cancel(GUILD, never_posted.id, at=LATER, reason="card_not_posted")

    found = await resends.newest_of_trades(GUILD, ProviderName.MANNCO, [1, 2, 3, 4, 10**30])
    assert {each.trade_id: each.id for each in found} == {1: denied.id, 2: standing.id}
    assert await resends.newest_of_trades(GUILD, ProviderName.SKINSBACK, [1, 2]) == ()
