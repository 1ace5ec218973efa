"""What each capability lets a member do, and the refusal of a member without it."""

from bot.domain.access import Capability
from bot.domain.errors import AccessDenied
from bot.domain.snapshots import Audience
from bot.languages import Message
from bot.ui.errors import ErrorMessage, register_messages

CAPABILITY_LABELS = {
    # Translators: what a member may do. The name before the colon stays as it is.
    Capability.INVENTORY_OWN: Message("inventory.own: look up their own inventory"),
    Capability.INVENTORY_ANY: Message("inventory.any: look up anyone's inventory"),
    Capability.TRADES_OWN: Message("trades.own: see their own trades"),
    Capability.TRADES_ANY: Message("trades.any: see everyone's trades"),
    Capability.RESEND_OWN: Message("resend.own: ask for resends of their own trades"),
    Capability.RESEND_ANY: Message("resend.any: ask for resends of anyone's trades"),
    Capability.APPROVE_RESEND: Message("resend.approve: approve and deny resends"),
    Capability.MANAGE_LINKS: Message("links.manage: link Steam accounts to members"),
    Capability.MANAGE_ACCESS: Message("access.manage: decide which role may do what"),
    Capability.MANAGE_SETTINGS: Message("settings.manage: change this server's settings"),
    Capability.READ_AUDIT: Message("audit.read: read the audit log"),
}
"""What each capability lets a member do; the commands offer the same texts."""

_DENIED = {
    Capability.INVENTORY_OWN: Message(
        "None of your roles lets you look up your own inventory (`inventory.own`). Nothing was done."
    ),
    Capability.INVENTORY_ANY: Message(
        "None of your roles lets you look up anyone's inventory (`inventory.any`). Nothing was done."
    ),
    Capability.TRADES_OWN: Message("None of your roles lets you see your own trades (`trades.own`). Nothing was done."),
    Capability.TRADES_ANY: Message(
        "None of your roles lets you see everyone's trades (`trades.any`). Nothing was done."
    ),
    Capability.RESEND_OWN: Message(
        "None of your roles lets you ask for resends of your own trades (`resend.own`). Nothing was done."
    ),
    Capability.RESEND_ANY: Message(
        "None of your roles lets you ask for resends of anyone's trades (`resend.any`). Nothing was done."
    ),
    Capability.APPROVE_RESEND: Message(
        "None of your roles lets you approve and deny resends (`resend.approve`). Nothing was done."
    ),
    Capability.MANAGE_LINKS: Message(
        "None of your roles lets you link Steam accounts to members (`links.manage`). Nothing was done."
    ),
    Capability.MANAGE_ACCESS: Message(
        "None of your roles lets you decide which role may do what (`access.manage`). Nothing was done."
    ),
    Capability.MANAGE_SETTINGS: Message(
        "None of your roles lets you change this server's settings (`settings.manage`). Nothing was done."
    ),
    Capability.READ_AUDIT: Message("None of your roles lets you read the audit log (`audit.read`). Nothing was done."),
}

_ASK_FOR_RESEND = Message("Ask a support agent to request the resend, and tell them the trade's number.")
_STEPS_WITHOUT = {
    Capability.INVENTORY_ANY: Message(
        "Look up your own inventory: use the trade URL of the Steam account that `/link status` shows. "
        "If you meant someone else's, ask a support agent."
    ),
    Capability.TRADES_ANY: Message(
        "Use `/trades` without options: it shows your own. For someone else's trades, ask a support agent."
    ),
    Capability.INVENTORY_OWN: Message("Ask a support agent to look your inventory up for you."),
    Capability.TRADES_OWN: Message("Ask a support agent how your trade stands, and tell them its number."),
    Capability.RESEND_OWN: _ASK_FOR_RESEND,
    Capability.RESEND_ANY: _ASK_FOR_RESEND,
    Capability.APPROVE_RESEND: Message(
        "You do not need to do anything: the moderators have been asked, and the requester is told how it ends."
    ),
    Capability.MANAGE_LINKS: Message("Ask a support agent to link the account. Your own link: `/link status`."),
}
"""Alternatives for a member without a capability."""
_ASK_FOR_IT = Message("Ask the staff for it, or ask a member who has it.")


def _access_denied(error: AccessDenied, _: Audience) -> ErrorMessage:
    return ErrorMessage(
        Message("You may not do that"),
        _DENIED[error.capability],
        _STEPS_WITHOUT.get(error.capability, _ASK_FOR_IT),
        Message("A member with `access.manage`: `/access grant` gives it to one of your roles"),
        Message("As soon as one of your roles has it."),
    )


register_messages({AccessDenied: _access_denied})
