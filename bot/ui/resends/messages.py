"""The error messages of resends, and the sentences about paused resends."""

from bot.domain.errors import (
    AlreadyDecided,
    ApprovalsChannelMissing,
    ApprovalsChannelUnusable,
    CardOutdated,
    CardReplaced,
    MayNotDecide,
    NotResendable,
    OutcomeNotStored,
    PauseOutdated,
    ResendAlreadyOpen,
    ResendNotFound,
    ResendNotPossible,
    ResendsPaused,
    TooManyResends,
    TradeChanged,
)
from bot.domain.failures import ProviderName
from bot.domain.resends import OPENED_AT_MOST, ApproverRefusal, ResendPause
from bot.domain.secrets import mask_trade_urls
from bot.domain.snapshots import Audience
from bot.domain.trades import Direction, NotResendableReason
from bot.languages import Message, listed, paragraph, t, tn
from bot.ui.errors import FAULTS, NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.text import code, moment, relative
from bot.ui.resends.card import link_to_card, version_mark
from bot.ui.resends.changes import FACT_LABELS
from bot.ui.resends.states import RESUME, state_sentences


def pause_sentences(pause: ResendPause) -> list[str]:
    """Return when resends were stopped and why, and who can resume them, a sentence a line."""
    # Translators: {when} is like "5 minutes ago (14 May 2026 12:00)", written by Discord
    when = f"{relative(pause.at)} ({moment(pause.at)})"
    if pause.by is not None:
        why = t("Resends on this server were stopped by {moderator} {when}.", moderator=f"<@{pause.by}>", when=when)
    elif pause.resend_id is None:
        why = t(
            "Resends on this server were stopped {when}: SkinDesk's database was restored from a copy or started new, "
            "and may not know everything that was sent. Check the newest trades in Mannco.store's dashboard.",
            when=when,
        )
    else:
        why = t(
            "**ALARM:** resends on this server were stopped {when}: Mannco.store answered resend {id} about another "
            "trade. Check both trades in its dashboard.",
            when=when,
            id=pause.resend_id,
        )
    return [why, RESUME()]


_ANSWERS = {
    True: Message("Mannco.store has confirmed this resend, but then SkinDesk could not use its database."),
    False: Message("Mannco.store has not made this resend, but then SkinDesk could not use its database."),
    None: Message(
        "Mannco.store was asked for this resend and gave no clear answer, and then SkinDesk could not use its database."
    ),
}


def _outcome_not_stored(error: OutcomeNotStored, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        t("The outcome could not be stored"),
        paragraph(_ANSWERS[error.was_sent], FAULTS[error.fault]),
        t(
            "Do not send it by hand. Tell the operator. Once the database works, the card says that the outcome is "
            "unknown, and SkinDesk reads the trade to find out. If that takes long, look in Mannco.store's dashboard, "
            "then use the card's *Mark as sent* or *Mark as failed*."
        ),
        t("The operator of SkinDesk"),
        t("Not before the card shows the outcome."),
        is_refusal=False,
    )


_INSTEAD = {
    (Audience.CUSTOMER, True): Message(
        "If it has failed, order again in the shop. `/trades` shows where it stands.",
    ),
    (Audience.CUSTOMER, False): Message(
        "If it has failed, start a new deposit in the shop. `/trades` shows where it stands.",
    ),
    (Audience.STAFF, True): Message("If it has failed, ask the customer to order again in the shop."),
    (Audience.STAFF, False): Message("If it has failed, ask the customer to start a new deposit in the shop."),
}
"""What to do instead of a resend, for each reader and for a withdrawal or not."""


def _not_resendable(error: NotResendable, audience: Audience) -> ErrorMessage:
    if error.reason is NotResendableReason.NO_RESEND:
        return ErrorMessage(
            t("This trade cannot be resent"),
            t(
                "{provider} has no resend: trade {trade} stays as it is.",
                provider=ProviderName(error.trade.provider.family).label,
                trade=code(error.trade.id, 48),
            ),
            _INSTEAD[audience, error.trade.direction is Direction.WITHDRAWAL],
            again=NOT_AGAIN,
        )
    if error.reason is NotResendableReason.NOTHING_TO_SEND:
        return ErrorMessage(
            t("Nothing to resend"),
            t("Trade {trade} sends no items out: it is a deposit, not a withdrawal.", trade=error.trade.id),
            t("Start a new deposit in the shop."),
            again=NOT_AGAIN,
        )
    return ErrorMessage(
        t("This trade cannot be resent"),
        t(
            "Trade {trade} has neither failed nor been cancelled. Its status: {status}. Mannco.store sends only failed "
            "and cancelled trades again (status -1, 4, 5, 6, 7 or 10).",
            trade=error.trade.id,
            status=error.trade.status,
        ),
        t("See where it stands, and who acts next, with `/trades scope:all`."),
        again=t("If it fails or is cancelled later."),
    )


def _resends_paused(error: ResendsPaused, audience: Audience) -> ErrorMessage:
    why, who = pause_sentences(error.pause)
    step = t("Wait until they are resumed. You can still deny requests and settle unknown outcomes.")
    if audience is Audience.CUSTOMER:
        # Translators: {when} is like "5 minutes ago"
        why = t("The staff has stopped all resends for now ({when}).", when=relative(error.pause.at))
        step = t("Wait, and ask again later. Your trade and its items stay as they are.")
        who = t("The staff of this server")
    return ErrorMessage(
        t("Resends are stopped"),
        paragraph(why, t("Nothing was asked and nothing was sent.")),
        step,
        who,
        t("Once they are resumed."),
    )


def _pause_outdated(error: PauseOutdated, _: Audience) -> ErrorMessage:
    why = pause_sentences(error.pause)[0]
    return ErrorMessage(
        t("Resends were stopped again"),
        paragraph(why, t("The button you pressed was shown for an earlier stop. Nothing was resumed.")),
        t("Use `/approvals` again, read why resends are stopped, and decide with the button there."),
    )


def _card_outdated(error: CardOutdated, _: Audience) -> ErrorMessage:
    what = t("The card you pressed did not show request {id} as it is now. Nothing was sent.", id=error.resend.id)
    if error.resend.is_shown:
        return ErrorMessage(
            t("The card was out of date"),
            what,
            t(
                "Read the request's newest card, which shows the trade as it is, and decide there. "
                "`/approvals` links to it."
            ),
        )
    return ErrorMessage(
        t("The card is out of date"),
        paragraph(what, t("Discord did not take the newest version of the card.")),
        t(
            # Translators: {version} is like v2
            "SkinDesk keeps trying. Decide once the card's last line says {version}.",
            version=code(version_mark(error.resend)),
        ),
    )


def _card_replaced(error: CardReplaced, _: Audience) -> ErrorMessage:
    link = link_to_card(error.resend)
    return ErrorMessage(
        t("This card was replaced"),
        t("Request {id} has a newer card. Nothing was decided with this one.", id=error.resend.id),
        t("Decide on [the newest card]({link}).", link=link) if link else t("Find its card with `/approvals`."),
        again=t("On the newest card."),
    )


def _resend_not_possible(error: ResendNotPossible, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        t("This trade cannot be asked for"),
        t(
            "Trade {trade} does not exist, cannot be resent, or is asked for already. You may ask for every trade, but "
            "not see other people's, so SkinDesk does not say which of these it is.",
            trade=code(mask_trade_urls(error.trade_id), 40),
        ),
        t("Check the number, or ask a member with `trades.any` to look at the trade."),
        again=t("With the right number."),
    )


def _resend_already_open(error: ResendAlreadyOpen, _: Audience) -> ErrorMessage:
    if error.resend is None:
        what = t("A resend of trade {trade} is already open elsewhere.", trade=error.trade_id)
    else:
        opened = t("A resend of trade {trade} is open: request {id}.", trade=error.trade_id, id=error.resend.id)
        what = paragraph(opened, state_sentences(error.resend))
    return ErrorMessage(
        t("Already asked for"),
        what,
        t("Wait for the decision: the requester will hear about it."),
        t("A moderator with `resend.approve`"),
        t("After it is decided, if the trade needs it then."),
    )


def _too_many_resends(error: TooManyResends, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        t("Daily limit reached"),
        tn(
            "You have asked for {count} resend within a day, which is the limit. "
            "Nothing was asked and nothing was sent.",
            "You have asked for {count} resends within a day, which is the limit. "
            "Nothing was asked and nothing was sent.",
            OPENED_AT_MOST,
        ),
        t("Wait, or let the staff ask for you. If so many of your trades fail, tell them anyway."),
        t("A member with `resend.any` can ask for you"),
        relative(error.until),
    )


def _already_decided(error: AlreadyDecided, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        t("Already decided"),
        f"{t('Request {id}', id=error.resend.id)} · {state_sentences(error.resend)}",
        t("Nothing more: one decision counts. If the trade failed again, `/resend` opens a new request."),
        again=NOT_AGAIN,
    )


def _trade_changed(error: TradeChanged, _: Audience) -> ErrorMessage:
    facts = listed(FACT_LABELS[name]() for name in error.differences)
    return ErrorMessage(
        t("The trade has changed"),
        t("Since the card was posted this has changed: {facts}. Nothing was sent.", facts=facts),
        t("Read the card again, which now shows the trade as it is, and decide again."),
        again=t("Now."),
    )


_REFUSALS = {
    ApproverRefusal.REQUESTER: Message("You can't approve your own request. A second person has to approve it."),
    ApproverRefusal.OWNER: Message(
        "You can't approve a resend of your own trade, nor one of a Steam account that was linked to you within the "
        "last 72 hours. A second person has to approve it."
    ),
    ApproverRefusal.SHARED_ACCOUNT: Message(
        "Within the last 72 hours you and the requester, or you and the trade's owner, were linked to the same Steam "
        "account. A second person has to approve it."
    ),
}

register_messages(
    {
        OutcomeNotStored: _outcome_not_stored,
        ResendNotFound: ErrorMessage(
            Message("No such request"),
            Message("This resend request does not exist on this server."),
            Message("Use `/approvals` to see the open requests."),
            again=Message("With a request that is there."),
        ),
        NotResendable: _not_resendable,
        ResendNotPossible: _resend_not_possible,
        ResendAlreadyOpen: _resend_already_open,
        TooManyResends: _too_many_resends,
        ResendsPaused: _resends_paused,
        PauseOutdated: _pause_outdated,
        AlreadyDecided: _already_decided,
        TradeChanged: _trade_changed,
        CardOutdated: _card_outdated,
        CardReplaced: _card_replaced,
        MayNotDecide: lambda error, _: ErrorMessage(
            t("Someone else has to decide"),
            _REFUSALS[error.reason],
            t("Ask another moderator: the card is there for all of them."),
            t("Any other member with `resend.approve`"),
            NOT_AGAIN,
        ),
        ApprovalsChannelMissing: ErrorMessage(
            Message("No approvals channel yet"),
            Message("A resend needs a moderator's approval, and there is no channel to ask in. Nothing was asked."),
            Message("Tell the staff."),
            Message("A member with `settings.manage`: `/settings approvals-channel`"),
            Message("Once the channel is set."),
        ),
        ApprovalsChannelUnusable: ErrorMessage(
            Message("The approvals channel cannot be used"),
            Message("It is gone, or SkinDesk may not post there. Nothing was asked and nothing was sent."),
            Message("Tell the staff."),
            Message(
                "An administrator: let SkinDesk *View Channel*, *Send Messages* and *Embed Links* there, "
                "or set another one with `/settings approvals-channel`"
            ),
            Message("Once the channel works."),
        ),
    }
)
