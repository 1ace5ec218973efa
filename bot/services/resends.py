"""Takes requests for resends and decisions on them: approved by somebody else."""

from datetime import timedelta

from bot.domain.access import Actor, Caller, Capability, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    ApprovalsChannelMissing,
    CardOutdated,
    InvalidInput,
    LinkTooNew,
    MayNotDecide,
    NotLinked,
    NotResendable,
    ProviderOff,
    ResendAlreadyOpen,
    ResendNotFound,
    ShuttingDown,
    TooManyResends,
    TradeChanged,
    TradeNotFound,
)
from bot.domain.masking import mask_trade_urls
from bot.domain.resends import (
    MAX_REASON,
    OPENED_AT_MOST,
    OPENED_WITHIN,
    Outcome,
    Resend,
    ResendState,
    TradeFacts,
    approver_refusal,
)
from bot.domain.trades import Scope, Trade
from bot.ports import Clock, GuildSettingsRepository, LinkRepository, ResendCards, ResendRepository, TradeProvider
from bot.services.access import AccessService
from bot.services.pauses import PauseService
from bot.services.resend_board import ResendBoard
from bot.services.resend_delivery import ResendDelivery

_MAX_DIGITS = 19
"""No trade's id has more: it has 64 bits at most."""


class ResendService:
    """Who may ask, who may decide, and that what is approved is what was shown."""

    def __init__(  # noqa: PLR0913 -- collaborators by keyword, wired in one place
        self,
        *,
        repository: ResendRepository,
        provider: TradeProvider | None,
        access: AccessService,
        links: LinkRepository,
        settings: GuildSettingsRepository,
        cards: ResendCards,
        board: ResendBoard,
        delivery: ResendDelivery,
        pauses: PauseService,
        clock: Clock,
        expires_after: timedelta,
        allow_self_approval: bool = False,
    ) -> None:
        self._repository = repository
        self._provider = provider
        self._access = access
        self._links = links
        self._settings = settings
        self._cards = cards
        self._board = board
        self._delivery = delivery
        self._pauses = pauses
        self._clock = clock
        self._expires_after = expires_after
        self._allow_self_approval = allow_self_approval

    def use_rules(self, *, expires_after: timedelta, allow_self_approval: bool) -> None:
        """Let these rules hold from now on; requests that are open keep the expiry that their cards show."""
        self._expires_after = expires_after
        self._allow_self_approval = allow_self_approval

    # Requests

    async def request(self, trade_id: str, *, by: Actor, reason: str | None = None) -> Resend:
        """Check that the trade can be resent, keep the request, and post its card for the moderators.

        Needs ``resend.any``, or ``resend.own`` for a trade of the linked account; somebody else's trade and no
        trade are one and the same TradeNotFound. TooManyResends and LinkTooNew are for whoever lacks
        ``resend.any``, ResendsPaused for everybody while the guild's resends are stopped.
        """
        held = await self._access.capabilities_of(by)
        if held.isdisjoint({Capability.RESEND_ANY, Capability.RESEND_OWN}):
            raise AccessDenied(Capability.RESEND_OWN)
        link = await self._links.of_user(by.guild_id, by.user_id)
        if Capability.RESEND_ANY not in held and link is None:
            raise NotLinked
        own_from = link.waits_until(self._clock.now()) if link is not None else None
        if Capability.RESEND_ANY not in held and own_from is not None:
            raise LinkTooNew(own_from)
        await self._pauses.check(by.guild_id)
        settings = await self._settings.of_guild(by.guild_id)
        if settings.approvals_channel_id is None:
            raise ApprovalsChannelMissing
        kept_reason = mask_trade_urls(reason.strip()) if reason else None
        if kept_reason is not None and len(kept_reason) > MAX_REASON:
            raise InvalidInput("reason", "too_long")
        with on_behalf_of(Caller(by.user_id, is_staff=is_staff(held))):
            trade = await self._find(trade_id)
        if trade is None or (Capability.RESEND_ANY not in held and (link is None or trade.owner != link.steam_id)):
            raise TradeNotFound(trade_id)
        if trade.not_resendable is not None:
            raise NotResendable(trade, trade.not_resendable)
        at_most = None if Capability.RESEND_ANY in held else OPENED_AT_MOST
        resend = await self._open(trade, reason=kept_reason, by=by, at_most=at_most)
        return await self._post_card(resend, settings.approvals_channel_id)

    async def _open(self, trade: Trade, *, reason: str | None, by: Actor, at_most: int | None) -> Resend:
        now = self._clock.now()
        owner = await self._links.of_steam_id(by.guild_id, trade.owner)
        draft = Resend(
            id=0,
            guild_id=by.guild_id,
            provider=trade.provider,
            trade_id=trade.id,
            owner=trade.owner,
            owner_user_id=owner.user_id if owner is not None else None,
            requested_by=by.user_id,
            reason=reason or None,
            state=ResendState.PENDING,
            facts=TradeFacts.of(trade),
            version=1,
            requested_at=now,
            expires_at=now + self._expires_after,
        )
        resend = await self._repository.open(draft, at_most=at_most)
        if resend is None:
            await self._pauses.check(by.guild_id)
            standing = await self._repository.open_for_trade(by.guild_id, trade.provider, trade.id)
            if standing is None and at_most is not None:
                newest = await self._repository.opened_at(by.guild_id, by.user_id, limit=at_most)
                if len(newest) == at_most and now < (until := newest[-1] + OPENED_WITHIN):
                    raise TooManyResends(until)
            raise ResendAlreadyOpen(trade.id, standing)
        return resend

    async def _post_card(self, resend: Resend, channel_id: int) -> Resend:
        try:
            message_id = await self._cards.post(resend, channel_id=channel_id)
        except BaseException:
            # Whatever it was, the caller's going away too: nobody can decide on a request that has no card.
            now = self._clock.now()
            await self._repository.cancel(resend.guild_id, resend.id, at=now, reason="card_not_posted")
            await self._repository.finalise(resend.guild_id, resend.id, at=now)
            raise
        await self._repository.attach_card(
            resend.guild_id, resend.id, channel_id=channel_id, message_id=message_id, version=resend.version
        )
        await self._delivery.announce(resend, AuditAction.RESEND_REQUESTED, actor_id=resend.requested_by)
        posted = await self._get(resend.guild_id, resend.id)
        if posted.state is not resend.state:
            # Decided before it was known where the card is, so that nobody else could bring it up to date.
            await self._board.show(posted)
        return posted

    # Decisions

    async def may_decide(self, resend_id: int, *, by: Actor) -> Resend:
        """Return the request if the caller may decide on it now; otherwise the error that says why not."""
        resend = await self._decidable(resend_id, by=by)
        if resend.state is not ResendState.PENDING:
            raise AlreadyDecided(resend)
        return resend

    async def approve(self, resend_id: int, *, by: Actor, seen: int | None) -> Resend:
        """Approve, call the provider once, and return the request as it then stands.

        ``seen`` is the version on the card whose button was pressed, None where it showed none: where that, or what
        the card is known to show, is not the newest, the card is brought up to date and CardOutdated is raised. Then
        the trade is read: where it is no longer what the card shows, the card shows the difference and TradeChanged
        is raised. AlreadyDecided tells the slower of several who was faster, ResendsPaused that all is stopped. The
        caller going away does not stop what was begun.
        """
        if self._delivery.is_stopping:
            raise ShuttingDown
        try:
            resend = await self.may_decide(resend_id, by=by)
        except AlreadyDecided as late:
            if not late.resend.state.is_open:
                # A crash may have left the card with its buttons.
                await self._board.show(late.resend)
            raise
        if resend.is_due(self._clock.now()):
            await self._delivery.expire(resend)
            raise AlreadyDecided(await self._get(by.guild_id, resend_id))
        await self._pauses.check(by.guild_id)
        if seen != resend.version or not resend.is_shown:
            await self._board.show(resend)
            raise await self._overtaken(resend)
        await self._check_unchanged(resend)
        return await self._delivery.run_shielded(resend.id, self._approve(resend, by=by))

    async def _approve(self, resend: Resend, *, by: Actor) -> Resend:
        approved = await self._repository.approve(
            resend.guild_id, resend.id, version=resend.version, by=by.user_id, at=self._clock.now()
        )
        if approved is None:
            await self._pauses.check(by.guild_id)
            raise await self._overtaken(resend)
        return await self._delivery.carry_out(approved)

    async def deny(self, resend_id: int, *, by: Actor, reason: str | None = None) -> Resend:
        """Deny a pending request, under the rules of approving."""
        await self.may_decide(resend_id, by=by)
        kept_reason = mask_trade_urls(reason.strip())[:MAX_REASON] if reason else None
        denied = await self._repository.deny(
            by.guild_id, resend_id, by=by.user_id, reason=kept_reason or None, at=self._clock.now()
        )
        if denied is None:
            raise AlreadyDecided(await self._get(by.guild_id, resend_id))
        await self._delivery.finalise(denied, actor_id=by.user_id)
        return denied

    async def may_mark(self, resend_id: int, *, by: Actor) -> Resend:
        """Return the request if the caller may settle its doubt by hand now."""
        resend = await self._decidable(resend_id, by=by)
        if resend.state is not ResendState.UNKNOWN:
            raise AlreadyDecided(resend)
        return resend

    async def mark(self, resend_id: int, *, sent: bool, by: Actor, reason: str | None = None) -> Resend:
        """Settle a doubtful resend by hand, under the rules of approving."""
        await self.may_mark(resend_id, by=by)
        detail = mask_trade_urls(reason.strip())[:MAX_REASON] if reason else None
        settled = await self._repository.settle(
            by.guild_id,
            resend_id,
            sent=sent,
            outcome=Outcome.MARKED,
            detail=detail or None,
            at=self._clock.now(),
            by=by.user_id,
        )
        if settled is None:
            raise AlreadyDecided(await self._get(by.guild_id, resend_id))
        await self._delivery.finalise(settled, actor_id=by.user_id)
        return settled

    async def open_requests(self, *, by: Actor) -> tuple[Resend, ...]:
        """Return the guild's open requests, oldest first. Needs ``resend.approve``."""
        await self._access.require(Capability.APPROVE_RESEND, of=by)
        return await self._repository.open_in_guild(by.guild_id)

    async def _decidable(self, resend_id: int, *, by: Actor) -> Resend:
        await self._access.require(Capability.APPROVE_RESEND, of=by)
        resend = await self._get(by.guild_id, resend_id)
        if self._allow_self_approval:
            return resend
        own = await self._links.of_user(by.guild_id, by.user_id)
        owner = await self._links.of_steam_id(by.guild_id, resend.owner)
        refusal = approver_refusal(
            resend,
            user_id=by.user_id,
            steam_id=own.steam_id if own is not None else None,
            owner_user_id=owner.user_id if owner is not None else None,
        )
        if refusal is not None:
            raise MayNotDecide(refusal)
        return resend

    async def _check_unchanged(self, resend: Resend) -> None:
        trade = await self._find(str(resend.trade_id))
        if trade is None:
            raise TradeNotFound(str(resend.trade_id))
        now = TradeFacts.of(trade)
        differences = resend.facts.differences(now)
        if trade.owner != resend.owner:
            raise TradeNotFound(str(resend.trade_id))
        if not differences:
            return
        at = self._clock.now()
        revised = await self._repository.revise(resend.guild_id, resend.id, now, version=resend.version, at=at)
        if revised is None:
            raise await self._overtaken(resend)
        if trade.not_resendable is not None:
            cancelled = await self._repository.cancel(resend.guild_id, resend.id, at=at, reason="no_longer_resendable")
            if cancelled is not None:
                await self._delivery.finalise(cancelled, actor_id=None)
            raise NotResendable(trade, trade.not_resendable)
        await self._board.show(revised)
        raise TradeChanged(revised, differences)

    async def _overtaken(self, seen: Resend) -> AlreadyDecided | TradeChanged | CardOutdated:
        """Return what stopped a decision on the request as it was ``seen``: another one, or that facts were not."""
        now = await self._get(seen.guild_id, seen.id)
        if now.state is not ResendState.PENDING:
            return AlreadyDecided(now)
        differences = seen.facts.differences(now.facts)
        return TradeChanged(now, differences) if differences else CardOutdated(now)

    # Reading

    async def _find(self, trade_id: str) -> Trade | None:
        wanted = trade_id.strip().removeprefix("#")
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= _MAX_DIGITS):
            return None
        for trade in await self._require_provider().trades(Scope.ALL):
            if trade.id == int(wanted):
                return trade
        return None

    async def _get(self, guild_id: int, resend_id: int) -> Resend:
        resend = await self._repository.get(guild_id, resend_id)
        if resend is None:
            raise ResendNotFound
        return resend

    def _require_provider(self) -> TradeProvider:
        if self._provider is None:
            raise ProviderOff(None)
        return self._provider
