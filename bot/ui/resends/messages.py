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
from bot.ui.errors import FAULTS, NOT_AGAIN, ErrorMessage, register_messages
from bot.ui.kit.text import code, moment, relative
from bot.ui.resends.card import FACT_LABELS, RESUME, by_whom, link_to_card, state_sentence


def pause_sentences(pause: ResendPause) -> list[str]:
    """Return since when resends are stopped and why, and who can resume them, a sentence a line."""
    if pause.by is not None:
        why = f"Resends are stopped on this server {by_whom(pause.by, pause.at)}"
    elif pause.resend_id is None:
        why = (
            f"Resends are stopped on this server since {relative(pause.at)} ({moment(pause.at)}), because "
            "SkinDesk's database was restored from a copy or started new: it may not know everything that was sent. "
            "Check the newest trades in Mannco.store's dashboard."
        )
    else:
        why = (
            f"**ALARM:** resends are stopped on this server since {relative(pause.at)} ({moment(pause.at)}), because "
            f"Mannco.store answered resend {pause.resend_id} about another trade. Check both trades in its dashboard."
        )
    return [why, RESUME]


_ANSWERS = {
    True: "Mannco.store has confirmed this resend",
    False: "Mannco.store has not made this resend",
    None: "Mannco.store was asked for this resend, and gave no clear answer",
}


def _outcome_not_stored(error: OutcomeNotStored, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        "The outcome could not be stored",
        f"{_ANSWERS[error.was_sent]}, but then SkinDesk could not use its database. {FAULTS[error.fault]}",
        "Do not send it by hand. Tell the operator. Once the database works, the card says `unknown`, and SkinDesk "
        "reads the trade to find out. If that takes long, look in Mannco.store's dashboard, then use the card's "
        "*Mark as sent* or *Mark as failed*.",
        "The operator of SkinDesk",
        "Not before the card shows the outcome.",
        is_refusal=False,
    )


def _not_resendable(error: NotResendable, audience: Audience) -> ErrorMessage:
    if error.reason is NotResendableReason.NO_RESEND:
        label = ProviderName(error.trade.provider.family).label
        instead = "order again" if error.trade.direction is Direction.WITHDRAWAL else "start a new deposit"
        step = f"If it has failed, {instead} on the site. `/trades` shows where it stands."
        if audience is Audience.STAFF:
            step = f"If it has failed, have the customer {instead} on the site."
        return ErrorMessage(
            "This trade cannot be resent",
            f"{label} has no resend: trade {code(error.trade.id, 48)} stays as it is.",
            step,
            again=NOT_AGAIN,
        )
    if error.reason is NotResendableReason.NOTHING_TO_SEND:
        return ErrorMessage(
            "Nothing to resend",
            f"Trade {error.trade.id} sends no items out: it is a deposit, not a withdrawal.",
            "Start a new deposit on the site.",
            again=NOT_AGAIN,
        )
    return ErrorMessage(
        "This trade cannot be resent",
        f"Trade {error.trade.id} has neither failed nor been cancelled: its status is {error.trade.status}. "
        "Mannco.store sends only failed and cancelled trades again (status -1, 4, 5, 6, 7 or 10).",
        "See where it stands, and who acts next, with `/trades scope:all`.",
        again="If it fails or is cancelled later.",
    )


def _resends_paused(error: ResendsPaused, audience: Audience) -> ErrorMessage:
    why, _ = pause_sentences(error.pause)
    step = "Wait until they are resumed. You can still deny requests and settle unknown outcomes."
    if audience is Audience.CUSTOMER:
        why = f"The staff has stopped all resends for now, since {relative(error.pause.at)}."
        step = "Wait, and ask again later. Your trade and its items stay as they are."
    return ErrorMessage(
        "Resends are stopped",
        f"{why} Nothing was asked and nothing was sent.",
        step,
        RESUME,
        "Once they are resumed.",
    )


def _card_outdated(error: CardOutdated, _: Audience) -> ErrorMessage:
    what = f"The card you pressed did not show request {error.resend.id} as it is now. Nothing was sent."
    if error.resend.is_shown:
        return ErrorMessage(
            "The card was out of date",
            what,
            "Read the request's newest card, which shows the trade as it is, and decide there. "
            "`/approvals` links to it.",
        )
    return ErrorMessage(
        "The card is out of date",
        f"{what} Discord did not take the newest version of the card.",
        f"SkinDesk keeps trying. Decide once the card's last line says version {error.resend.version}.",
    )


def _card_replaced(error: CardReplaced, _: Audience) -> ErrorMessage:
    link = link_to_card(error.resend)
    return ErrorMessage(
        "This card was replaced",
        f"Request {error.resend.id} has a newer card. Nothing was decided with this one.",
        f"Decide on [the newest card]({link})." if link else "Find its card with `/approvals`.",
        again="On the newest card.",
    )


_REFUSALS = {
    ApproverRefusal.REQUESTER: "You can't approve your own request. A second person has to approve it.",
    ApproverRefusal.OWNER: (
        "You can't approve a resend of your own trade, nor one of a Steam account that was linked to you within the "
        "last 72 hours. A second person has to approve it."
    ),
    ApproverRefusal.SHARED_ACCOUNT: (
        "Within the last 72 hours you and the requester, or you and the trade's owner, were linked to the same Steam "
        "account. A second person has to approve it."
    ),
}

register_messages(
    {
        OutcomeNotStored: _outcome_not_stored,
        ResendNotFound: ErrorMessage(
            "No such request",
            "This resend request does not exist on this server.",
            "Use `/approvals` to see the open requests.",
            again="With a request that is there.",
        ),
        NotResendable: _not_resendable,
        ResendNotPossible: lambda error, _: ErrorMessage(
            "This trade cannot be asked for",
            f"Trade {code(mask_trade_urls(error.trade_id), 40)} does not exist, cannot be resent, or is asked for "
            "already. You may ask for every trade, but not see those of others: so SkinDesk does not say which it is.",
            "Check the number, or have a member with `trades.any` look at the trade.",
            again="With the right number.",
        ),
        ResendAlreadyOpen: lambda error, _: ErrorMessage(
            "Already asked for",
            f"A resend of trade {error.trade_id} is open "
            + (f"as request {error.resend.id}, {state_sentence(error.resend)}" if error.resend else "elsewhere"),
            "Wait for the decision: the requester will hear about it.",
            "A moderator with `resend.approve`",
            "After it is decided, if the trade needs it then.",
        ),
        TooManyResends: lambda error, _: ErrorMessage(
            "Daily limit reached",
            f"You have asked for {OPENED_AT_MOST} resends within a day, which is the limit. "
            "Nothing was asked and nothing was sent.",
            "Wait, or let the staff ask for you. If so many of your trades fail, tell them anyway.",
            "A member with `resend.any` can ask for you",
            f"{relative(error.until)}.",
        ),
        ResendsPaused: _resends_paused,
        PauseOutdated: lambda error, _: ErrorMessage(
            "Resends were stopped again",
            f"{pause_sentences(error.pause)[0]} "
            "The button you pressed was shown for an earlier stop. Nothing was resumed.",
            "Use `/approvals` again, read why resends are stopped, and decide with the button there.",
        ),
        AlreadyDecided: lambda error, _: ErrorMessage(
            "Already decided",
            f"Request {error.resend.id}: {state_sentence(error.resend)}",
            "Nothing more: one decision counts. If the trade failed again, `/resend` opens a new request.",
            again=NOT_AGAIN,
        ),
        TradeChanged: lambda error, _: ErrorMessage(
            "The trade has changed",
            "Since the card was posted this has changed: "
            f"{', '.join(FACT_LABELS[name] for name in error.differences)}. Nothing was sent.",
            "Read the card again, which now shows the trade as it is, and decide again.",
            again="Now.",
        ),
        CardOutdated: _card_outdated,
        CardReplaced: _card_replaced,
        MayNotDecide: lambda error, _: ErrorMessage(
            "Someone else has to decide",
            _REFUSALS[error.reason],
            "Ask another moderator: the card is there for all of them.",
            "Any other member with `resend.approve`",
            NOT_AGAIN,
        ),
        ApprovalsChannelMissing: ErrorMessage(
            "No approvals channel yet",
            "A resend needs a moderator's approval, and there is no channel to ask in. Nothing was asked.",
            "Tell the staff.",
            "A member with `settings.manage`: `/settings approvals-channel`",
            "Once the channel is set.",
        ),
        ApprovalsChannelUnusable: ErrorMessage(
            "The approvals channel cannot be used",
            "It is gone, or SkinDesk may not post there. Nothing was asked and nothing was sent.",
            "Tell the staff.",
            "An administrator: let SkinDesk *View Channel*, *Send Messages* and *Embed Links* there, "
            "or set another one with `/settings approvals-channel`",
            "Once the channel works.",
        ),
    }
)
