"""Takes requests for resends and decisions on them."""

from collections.abc import Collection
from datetime import timedelta

import attrs

from bot.domain.access import Actor, Caller, Capability, Condition, Viewer, is_staff, on_behalf_of
from bot.domain.audit import AuditAction
from bot.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    ApprovalsChannelMissing,
    ApprovalsChannelUnusable,
    CardOutdated,
    CardReplaced,
    InvalidInput,
    MayNotDecide,
    NotResendable,
    ResendAlreadyOpen,
    ResendNotFound,
    ResendNotPossible,
    ShuttingDown,
    TooManyResends,
    TradeChanged,
    TradeNotFound,
)
from bot.domain.links import Holder
from bot.domain.resends import (
    MAX_REASON,
    OPENED_AT_MOST,
    OPENED_WITHIN,
    WITHDRAWN,
    CardMessage,
    Outcome,
    Resend,
    ResendState,
    Settlement,
    TradeFacts,
    approver_refusal,
)
from bot.domain.secrets import mask_trade_urls
from bot.domain.steam import SteamId
from bot.domain.trades import Scope, Trade
from bot.languages import current
from bot.ports import Clock, GuildSettingsRepository, LinkRepository
from bot.ports.resends import ResendRepository
from bot.services.access import AccessService
from bot.services.person_limit import PersonLimit
from bot.services.resend_board import ResendBoard
from bot.services.resend_delivery import ResendDelivery
from bot.services.resend_notifier import ResendNotifier
from bot.services.resend_rights import account_of
from bot.services.trades import TradeService

_POSTED_WITHIN = 2.0
"""Seconds that a requester waits for the card, so that the answer can say that the channel cannot be used."""

_EDITED_WITHIN = 1.0
"""Seconds that a moderator waits for the new card, so that the answer can say whether it is there."""

ATTEMPTS = 30
"""Requests of one customer within an hour, also those whose card cannot be posted: each is stored and logged."""

_MAX_DIGITS = 19
"""A trade's id has at most 64 bits."""


@attrs.define(kw_only=True, eq=False)
class ResendService:
    """Requests and decisions. A decision approves exactly the facts on the card."""

    _repository: ResendRepository
    _access: AccessService
    _links: LinkRepository
    _settings: GuildSettingsRepository
    _board: ResendBoard
    _notifier: ResendNotifier
    _delivery: ResendDelivery
    _trades: TradeService
    _clock: Clock
    _expires_after: timedelta
    _allow_self_approval: bool = False
    _attempts: PersonLimit = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._attempts = PersonLimit(ATTEMPTS, timedelta(hours=1), self._clock)

    def use_rules(self, *, expires_after: timedelta, allow_self_approval: bool) -> None:
        """Change the rules; open requests keep the expiry that their cards show."""
        self._expires_after = expires_after
        self._allow_self_approval = allow_self_approval

    # Requests

    async def request(self, trade_id: str, *, by: Actor, reason: str | None = None) -> Resend:
        """Check that the trade can be resent, store the request, and post its card for the moderators.

        The message about the outcome will be in the current language, the requester's.

        Needs ``resend.any``, or ``resend.own`` for a trade of the linked account: another account's trade raises
        TradeNotFound as if it did not exist. Only ``resend.own`` is subject to TooManyResends, LinkTooNew and TooOften.
        Without ``trades.any``, ``resend.any`` learns of others' trades whether the request was made, and nothing else:
        ResendNotPossible. A trade of a provider without resends is NotResendable.
        ResendsPaused while the guild's resends are paused.
        """
        viewer = await self._access.viewer(by)
        own, asked_at = account_of(viewer, self._clock.now()), self._clock.monotonic()
        is_number = _number(trade_id) is not None
        if not is_number and (own is not None or viewer.may_see(None)):  # Mannco.store need not be asked
            await self._trades.check_not_elsewhere(trade_id, by=viewer, asked_at=asked_at)
        await self._delivery.check_not_paused(by.guild_id)
        settings = await self._settings.of_guild(by.guild_id)
        if settings.approvals_channel_id is None:
            raise ApprovalsChannelMissing
        kept_reason = mask_trade_urls(reason.strip()) if reason else None
        if kept_reason is not None and len(kept_reason) > MAX_REASON:
            raise InvalidInput("reason", "too_long")
        trade = None
        try:
            with on_behalf_of(Caller(by.user_id, is_staff=is_staff(viewer.capabilities))):
                trade = await self._find(trade_id, own)
            if trade.not_resendable is not None:
                raise NotResendable(trade, trade.not_resendable)  # noqa: TRY301 -- refused like the rest
            if own is not None:
                self._attempts.use(by.guild_id, by.user_id)
            resend = await self._open(trade, own, reason=kept_reason, by=by)
        except (TradeNotFound, NotResendable, ResendAlreadyOpen):
            if own is None and not viewer.may_see(trade.owner if trade is not None else None):
                raise ResendNotPossible(trade_id) from None
            if trade is None and is_number:
                await self._trades.check_not_elsewhere(trade_id, by=viewer, asked_at=asked_at)
            raise
        return await self._post_card(resend)

    async def _open(self, trade: Trade, asked: SteamId | None, *, reason: str | None, by: Actor) -> Resend:
        """Store a request, if the actor may still ask for the trades of ``asked`` after these were read."""

        def still_may(viewer: Viewer, _: object) -> None:
            if account_of(viewer, self._clock.now()) not in (None, asked):
                raise AccessDenied(Capability.RESEND_ANY) if asked is None else TradeNotFound(str(trade.id))

        now = self._clock.now()
        at_most = None if asked is None else OPENED_AT_MOST
        if trade.owner is None:  # Mannco.store names the owner of each of its trades, or the row is not read
            raise TradeNotFound(trade.id)
        owner = await self._links.of_steam_id(by.guild_id, trade.owner)
        draft = Resend(
            id=0,
            guild_id=by.guild_id,
            provider=trade.provider,
            trade_id=int(trade.id),
            owner=trade.owner,
            owner_user_id=owner.user_id if owner is not None else None,
            requested_by=by.user_id,
            reason=reason or None,
            state=ResendState.PENDING,
            facts=TradeFacts.of(trade),
            version=1,
            requested_at=now,
            expires_at=now + self._expires_after,
            language=current().code,
        )
        resend = await self._repository.open(draft, at_most=at_most, only_if=Condition(by, still_may))
        if resend is None:
            await self._delivery.check_not_paused(by.guild_id)
            standing = await self._repository.open_for_trade(by.guild_id, trade.provider, int(trade.id))
            if standing is None and at_most is not None:
                newest = await self._repository.opened_at(by.guild_id, by.user_id, limit=at_most)
                if len(newest) == at_most and now < (until := newest[-1] + OPENED_WITHIN):
                    raise TooManyResends(until)
            raise ResendAlreadyOpen(int(trade.id), standing)
        return resend

    async def _post_card(self, resend: Resend) -> Resend:
        """Begin to post the card; ApprovalsChannelUnusable if Discord refuses it soon.

        While Discord is slow or broken, the request is returned without a card, which is posted as soon as possible.
        """
        if not await self._board.post_within(_POSTED_WITHIN, resend):
            now = self._clock.now()
            self._notifier.keep_silent(resend, ResendState.CANCELLED)
            await self._repository.cancel(resend.guild_id, resend.id, at=now, reason="card_not_posted")
            await self._repository.finalise(resend.guild_id, resend.id, at=now)
            raise ApprovalsChannelUnusable
        self._notifier.announce(resend, AuditAction.RESEND_REQUESTED)
        return await self._delivery.get(resend.guild_id, resend.id)

    async def withdraw(self, resend_id: int, *, by: Actor) -> Resend:
        """Cancel the actor's own request while it is pending; it still counts against the daily limit.

        ResendNotFound for another's request, as if there was none; AlreadyDecided if a decision came first.
        """
        resend = await self._delivery.get(by.guild_id, resend_id)
        if resend.requested_by != by.user_id:
            raise ResendNotFound
        withdrawn = await self._repository.cancel(
            by.guild_id, resend_id, at=self._clock.now(), reason=WITHDRAWN, by=by.user_id
        )
        if withdrawn is None:
            raise AlreadyDecided(await self._delivery.get(by.guild_id, resend_id))
        self._notifier.tell(withdrawn)
        return withdrawn

    # Decisions

    async def check_card(self, resend_id: int, card: CardMessage, *, by: Actor) -> None:
        """Check a pressed message by reading alone: CardReplaced if the card is another, AlreadyDecided after the end.

        In both cases its buttons are of no use. The rules are those of :meth:`approve`.
        """
        resend = await self.decidable(resend_id, by=by)
        if resend.message_id not in (None, card.message_id):
            raise CardReplaced(resend)
        if not resend.state.is_open:
            raise AlreadyDecided(resend)

    async def may_decide(self, resend_id: int, *, by: Actor) -> Resend:
        """Return the request if the actor may decide it now; otherwise raise the reason."""
        resend = await self.decidable(resend_id, by=by)
        if resend.state is not ResendState.PENDING:
            raise AlreadyDecided(resend)
        return resend

    async def approve(self, resend_id: int, *, by: Actor, seen: int | None, card: CardMessage | None = None) -> Resend:
        """Approve a request, call the provider once, and return the request afterwards.

        ``seen`` is the version on the ``card`` whose button was pressed: the request's card from now on if it had none,
        or CardReplaced is raised. If the card is outdated, it is updated and CardOutdated raised. If the trade has
        changed since, the card shows the difference and TradeChanged is raised. AlreadyDecided if another decision came
        first. A cancelled caller does not stop the resend.
        """
        if self._delivery.is_stopping:
            raise ShuttingDown
        try:
            resend = await self.may_decide(resend_id, by=by)
        except AlreadyDecided as late:
            if not late.resend.state.is_open:
                # After a crash the card may still have its buttons.
                self._board.show(late.resend, again=True)
            raise
        resend = await self._board.adopt(resend, card, version=seen)
        await self._check_not_expired(resend)
        await self._delivery.check_not_paused(by.guild_id)
        if seen != resend.version or not resend.is_shown:
            await self._board.show_within(_EDITED_WITHIN, resend)
            raise await self._overtaken(resend)
        with on_behalf_of(Caller(by.user_id)):  # clicks share a person's slots, not those of SkinDesk's own readings
            await self._check_unchanged(resend)
        return await self._delivery.run_shielded(resend.id, self._approve(resend, by=by))

    async def _approve(self, resend: Resend, *, by: Actor) -> Resend:
        approved = await self._repository.approve(
            resend.guild_id,
            resend.id,
            version=resend.version,
            by=by.user_id,
            at=self._clock.now(),
            only_if=self.approver_condition(resend, by),
        )
        if approved is None:
            await self._check_not_expired(resend)
            await self._delivery.check_not_paused(by.guild_id)
            raise await self._overtaken(resend)
        return await self._delivery.send(approved)

    async def deny(
        self, resend_id: int, *, by: Actor, reason: str | None = None, card: CardMessage | None = None
    ) -> Resend:
        """Deny a pending request; the rules are those of :meth:`approve`."""
        resend = await self._board.adopt(await self.may_decide(resend_id, by=by), card)
        kept_reason = mask_trade_urls(reason.strip())[:MAX_REASON] if reason else None
        denied = await self._repository.deny(
            by.guild_id,
            resend_id,
            by=by.user_id,
            reason=kept_reason or None,
            at=self._clock.now(),
            only_if=self.approver_condition(resend, by),
        )
        if denied is None:
            raise AlreadyDecided(await self._delivery.get(by.guild_id, resend_id))
        self._notifier.tell(denied)
        return denied

    async def may_mark(self, resend_id: int, *, by: Actor) -> Resend:
        """Return the request if the actor may settle its unknown outcome by hand now."""
        resend = await self.decidable(resend_id, by=by)
        if resend.state is not ResendState.UNKNOWN:
            raise AlreadyDecided(resend)
        return resend

    async def mark(
        self, resend_id: int, *, sent: bool, by: Actor, reason: str | None = None, card: CardMessage | None = None
    ) -> Resend:
        """Settle an unknown outcome by hand; the rules are those of :meth:`approve`."""
        resend = await self._board.adopt(await self.may_mark(resend_id, by=by), card)
        detail = mask_trade_urls(reason.strip())[:MAX_REASON] if reason else None
        end = Settlement(sent, Outcome.MARKED, detail or None, by=by.user_id)
        settled = await self._repository.settle(
            by.guild_id, resend_id, end, at=self._clock.now(), only_if=self.approver_condition(resend, by)
        )
        if settled is None:
            raise AlreadyDecided(await self._delivery.get(by.guild_id, resend_id))
        self._notifier.tell(settled)
        return settled

    async def decidable(self, resend_id: int, *, by: Actor) -> Resend:
        """Return a request, in any state, on which the actor may decide by the rules of :meth:`approve`."""
        viewer = await self._access.viewer(by)
        if Capability.APPROVE_RESEND not in viewer.capabilities:
            raise AccessDenied(Capability.APPROVE_RESEND)  # before the request is looked up: it may not exist
        resend = await self._delivery.get(by.guild_id, resend_id)
        user_ids = resend.people | {by.user_id}
        holders = await self._links.holders(by.guild_id, resend.owner, user_ids=user_ids, at=self._clock.now())
        self.approver_condition(resend, by).check(viewer, holders)
        return resend

    def approver_condition(self, resend: Resend, by: Actor) -> Condition:
        """Return the rule of decisions: the capability, and neither requester nor owner."""

        def check(viewer: Viewer, holders: Collection[Holder]) -> None:
            if Capability.APPROVE_RESEND not in viewer.capabilities:
                raise AccessDenied(Capability.APPROVE_RESEND)
            refusal = approver_refusal(resend, user_id=by.user_id, holders=holders)
            if refusal is not None and not self._allow_self_approval:
                raise MayNotDecide(refusal)

        return Condition(by, check)

    async def _check_not_expired(self, resend: Resend) -> None:
        """Raise AlreadyDecided if the time for a decision is over, after storing that it expired."""
        if resend.is_due(self._clock.now()):
            await self._delivery.expire(resend)
            raise AlreadyDecided(await self._delivery.get(resend.guild_id, resend.id))

    async def _check_unchanged(self, resend: Resend) -> None:
        trade = await self._find(str(resend.trade_id), resend.owner)
        now = TradeFacts.of(trade)
        differences = resend.facts.differences(now)
        if not differences:
            return
        at = self._clock.now()
        revised = await self._repository.revise(resend.guild_id, resend.id, now, version=resend.version, at=at)
        if revised is None:
            raise await self._overtaken(resend)
        if trade.not_resendable is not None:
            cancelled = await self._repository.cancel(resend.guild_id, resend.id, at=at, reason="no_longer_resendable")
            if cancelled is not None:
                self._notifier.tell(cancelled)
            raise NotResendable(trade, trade.not_resendable)
        await self._board.show_within(_EDITED_WITHIN, revised)
        raise TradeChanged(revised, differences)

    async def _overtaken(self, seen: Resend) -> AlreadyDecided | TradeChanged | CardOutdated:
        """Return why the request as ``seen`` cannot be decided: a decision came first, or the card is outdated."""
        now = await self._delivery.get(seen.guild_id, seen.id)
        if now.state is not ResendState.PENDING:
            return AlreadyDecided(now)
        differences = seen.facts.differences(now.facts)
        return TradeChanged(now, differences) if differences else CardOutdated(now)

    # Reading

    async def _find(self, trade_id: str, owner: SteamId | None) -> Trade:
        """Return a trade of ``owner``, or of anyone; TradeNotFound, the same for one that is another account's."""
        number = _number(trade_id)
        if number is None:
            raise TradeNotFound(trade_id)
        provider = self._delivery.require_provider()
        listed = await provider.trades(Scope.ALL, owner)
        trade = listed.find(number)
        if trade is None and owner is None and (known := provider.owner_of(number)) is not None:
            listed = await provider.trades(Scope.ALL, known)
            trade = listed.find(number)
        if trade is None or owner not in (None, trade.owner):
            raise TradeNotFound(trade_id, listed.limit_for(owner), len(listed.unread))
        return trade


def _number(text: str) -> int | None:
    """Return the number of a trade of Mannco.store, as people type it."""
    digits = text.strip().removeprefix("#")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS else None
