"""The changes of a trade since its resend was asked for."""

from bot.domain.resends import Resend, ResendState, change_in
from bot.languages import Message, number, t
from bot.ports import Explanations
from bot.ui.kit.layout import Field
from bot.ui.kit.markup import without_markup
from bot.ui.kit.text import code, outside

FACT_LABELS = {
    # Translators: facts of a trade, in a list after a colon
    "status": Message("status"),
    "items_send": Message("items to send"),
    "items_received": Message("items to receive"),
    "offer_id": Message("Steam offer"),
    "last_error": Message("last error"),
    "code_digest": Message("verification code"),
}


def change_fields(resend: Resend, explanations: Explanations) -> list[Field]:
    """Return the facts that the last change of a pending request's trade replaced."""
    changes = [change for note in resend.notes if (change := change_in(note)) is not None]
    if resend.state is not ResendState.PENDING or not changes:
        return []
    lines = [_was(name, before, resend, explanations) for name, before in changes[-1].items()]
    return [Field(t("⚠️ Changed before it could be approved"), "\n".join(lines))]


def _was(name: str, before: int | str | None, resend: Resend, explanations: Explanations) -> str:  # noqa: PLR0911 -- one for each fact
    match name:
        case "status":
            status = f"{explanations.status(resend.provider.dialect, str(before)).title} ({code(str(before), 8)})"
            return t("Status: was {before}", before=status)
        case "items_send":
            if before == len(resend.facts.items_send):
                return t("Items to send: as many as before, but others")
            return t("Items to send: was {before}", before=number(int(before or 0)))
        case "items_received":
            if before == len(resend.facts.items_received):
                return t("Items to receive: as many as before, but others")
            return t("Items to receive: was {before}", before=number(int(before or 0)))
        case "offer_id":
            if not before:
                return t("Steam offer: there was none")
            return t("Steam offer: was {before}", before=code(str(before), 32))
        case "last_error":
            if not before:
                return t("Last error: there was none")
            return t("Last error: was {before}", before=outside(without_markup(str(before)), 200))
        case _:
            return t("Verification code: it is a new one")
