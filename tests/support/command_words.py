"""What each command is for and what comes of it, in the words of docs/commands.md; the generator has the facts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """A picture under a command: its file in docs/images, and what somebody reads who cannot see it."""

    file: str
    alt: str


@dataclass(frozen=True)
class Words:
    """What a command is for, and its pictures."""

    what: str
    pictures: tuple[Picture, ...] = ()


COMMANDS: dict[str, Words] = {
    "inventory": Words(
        "Shows every item of a Steam inventory with what it brings at a provider, or why it is refused there. With "
        "`provider:all` the providers stand side by side. The answer is kept for 24 hours, so that its buttons and "
        "menus work after a restart; turning, sorting and filtering ask no provider again. The trade URL is not kept.",
        (
            Picture(
                "inventory.png",
                "An inventory as its owner sees it: how many items can be deposited and for how much, then each item "
                "with its offer or the reason why it is refused, and below them buttons and menus",
            ),
            Picture("inventory-all.png", "Four providers side by side: each item with what each of them offers"),
            Picture("item.png", "The details of one item: offer, wear, paint seed, sticker and inspect certificate"),
            Picture(
                "refused.png",
                "A refused look-up as an agent sees it: what happened, what agent and customer can do, who can fix "
                "it, when to try again, and the provider's own facts",
            ),
            Picture("inventory-phone.png", "The same inventory on the width of a phone"),
        ),
    ),
    "trades": Words(
        "Says in words where a trade stands, who has to act next, and what to do. While an offer waits, its owner "
        "sees bot, offer and verification code to compare in Steam; the staff never sees the code.",
        (
            Picture(
                "trades.png",
                "A customer's active trades: each waits for them, with bot, offer and code to compare, and the warning "
                "that nobody of the staff asks for the code",
            ),
            Picture("trades-phone.png", "The same trades on the width of a phone"),
        ),
    ),
    "Show trades": Words("The same as `/trades` for the member it is used on: right-click them, *Apps*."),
    "resend": Words(
        "Asks to have a failed or cancelled withdrawal sent again. A card with the facts goes to the approvals "
        "channel; nothing is sent before a second person has approved it, and never twice for one approval. Whoever "
        "asked, and the trade's owner, are told how it ends.",
        (
            Picture(
                "approval.png",
                "The card in the approvals channel: trade, owner, status, items, last error, who asked and why, and "
                "the buttons to approve and to deny",
            ),
        ),
    ),
    "approvals": Words(
        "Lists the requests that wait for a decision, with links to their cards. Whoever holds `settings.manage` can "
        "stop all resends of the server here, and resume them."
    ),
    "explain": Words(
        "Explains an error of any provider by its number, its key, or the whole message as it was pasted. Where a "
        "number means different things, all of them are shown.",
        (Picture("explain.png", "One error explained: what it means, what to do, who can fix it, when to try again"),),
    ),
    "Explain error codes": Words(
        "Finds the errors that a message names, and explains each: right-click the message, *Apps*."
    ),
    "status": Words(
        "Shows whether each provider works. Holders of `audit.read` see the last failure and what is left of the "
        "provider's limits, too.",
        (Picture("status.png", "The state of each provider, one of them left alone after failures in a row"),),
    ),
    "link start": Words(
        "Gives a one-time address, good for ten minutes, at which one signs in at Steam. Where sign-in is not set up "
        "it says who links accounts instead."
    ),
    "link set": Words(
        "Links a member by hand. One Steam account belongs to one member of a server. With `none` in the account's "
        "place it ends the link that somebody has, also somebody who left the server: then name them by their user id."
    ),
    "link status": Words(
        "Shows the own link, how it came about, and from when own trades can be resent after a change."
    ),
    "link remove": Words(
        "Ends the own link at once. It is remembered for 72 hours, so that none is moved and used at once."
    ),
    "access grant": Words("Gives a right to everybody with a role, and warns where that is more people than it seems."),
    "access revoke": Words("Takes a right from a role."),
    "access list": Words(
        "Shows all that is granted and what is worth a look: rights that everybody has, that members could give to "
        "themselves, or that deleted roles still hold.",
        (Picture("access.png", "Who may do what: a line for each role with its rights"),),
    ),
    "access why": Words("Says through which role somebody may do something and who granted it, or who could."),
    "settings show": Words("Shows the channels that are set, and warns where everybody can read them."),
    "settings approvals-channel": Words("Sets where cards of resends are posted: a channel that only moderators read."),
    "settings audit-channel": Words("Sets where decisions and changes of rights are posted: a channel for the staff."),
    "audit": Words(
        "Reads the record in words, newest first, with all of it as a CSV file. It is a chain: "
        "`skindesk check` finds a row that was changed or removed.",
        (Picture("audit.png", "The record: who did what to whom and when, a line each, with a file beside it"),),
    ),
    "mydata export": Words(
        "Says what is kept about oneself and who of the staff looked at it, with all of it as a file."
    ),
    "mydata forget": Words("Forgets what can be forgotten, at once, and says what stays, how long, and why."),
}
"""By the command's whole name; a context menu's is its label."""


@dataclass(frozen=True)
class ComponentWords:
    """Under which commands' answers a component stands, what it says, and what it does."""

    under: tuple[str, ...]
    label: str
    what: str


_PAGES = ("inventory", "trades", "Show trades")

COMPONENTS: dict[str, ComponentWords] = {
    "PageButton:first": ComponentWords(_PAGES, "First", "shows the first page"),
    "PageButton:previous": ComponentWords(_PAGES, "Previous", "turns back"),
    "PageButton:next": ComponentWords(_PAGES, "Next", "turns on"),
    "PageButton:last": ComponentWords(_PAGES, "Last", "shows the last page"),
    "ItemSelect": ComponentWords(("inventory",), "Details of an item…", "opens everything that is known of an item"),
    "SortSelect": ComponentWords(("inventory",), "Sort…", "sorts what was sent; no provider is asked"),
    "InventoryButton:filter": ComponentWords(("inventory",), "Filter", "opens the form *Filter items*"),
    "FilterModal": ComponentWords(("inventory",), "Filter items", "form: words of the name, lowest and highest price"),
    "InventoryButton:clear": ComponentWords(("inventory",), "Clear filter", "shows all items again"),
    "InventoryButton:csv": ComponentWords(("inventory",), "CSV of all", "hands out the whole inventory as a table"),
    "InventoryButton:refresh": ComponentWords(
        ("inventory",), "Refresh", "has Steam read anew; says from when, where that is too early"
    ),
    "ResendButton:approve": ComponentWords(("resend",), "Approve", "sends the offer again, once"),
    "ResendButton:deny": ComponentWords(("resend",), "Deny", "asks for a reason and closes the request"),
    "ResendButton:sent": ComponentWords(("resend",), "Mark as sent", "settles a doubt by hand"),
    "ResendButton:failed": ComponentWords(("resend",), "Mark as failed", "settles a doubt by hand"),
    "ReasonModal": ComponentWords(
        ("resend",), "Reason (requester and owner see it)", "form before *Deny* and the two *Mark as …*"
    ),
    "PauseButton:pause": ComponentWords(("approvals",), "Stop resends", "stops all resends of the server at once"),
    "PauseButton:resume": ComponentWords(("approvals",), "Resume resends", "ends that stop"),
    "RevokeDeletedButton": ComponentWords(
        ("access list",), "Revoke deleted roles", "takes from deleted roles what they still hold"
    ),
}
"""By the name of its class and, where it has several, its action."""
