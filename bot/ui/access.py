"""The answers of ``/access``: grants, the reasons for a right, the result of a change, and warnings."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import discord

from bot.domain.access import BOOTSTRAP, Actor, Capability
from bot.domain.access_doctor import Concern, Finding, Giver, RoleFacts, Source
from bot.domain.audit import AuditAction, AuditRow
from bot.domain.errors import AccessDenied, GuildNotSeen
from bot.domain.snapshots import Audience
from bot.services.access import GrantChange, Review, Why
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import ELLIPSIS, code, count, moment, plain, utf16_length

CAPABILITY_LABELS = {
    Capability.INVENTORY_OWN: "look up their own inventory",
    Capability.INVENTORY_ANY: "look up anyone's inventory",
    Capability.TRADES_OWN: "see their own trades",
    Capability.TRADES_ANY: "see everyone's trades",
    Capability.RESEND_OWN: "ask for resends of their own trades",
    Capability.RESEND_ANY: "ask for resends of anyone's trades",
    Capability.APPROVE_RESEND: "approve and deny resends",
    Capability.MANAGE_LINKS: "link Steam accounts to members",
    Capability.MANAGE_ACCESS: "decide which role may do what",
    Capability.MANAGE_SETTINGS: "change this server's settings",
    Capability.READ_AUDIT: "read the audit",
}
"""What each capability lets a member do."""

_STEPS_WITHOUT = {
    Capability.INVENTORY_ANY: (
        "Look up your own inventory: use the trade URL of the Steam account that `/link status` shows. "
        "If you meant someone else's, ask a support agent."
    ),
    Capability.TRADES_ANY: "Use `/trades` alone: it shows your own. For someone else's ask a support agent.",
    Capability.INVENTORY_OWN: "Ask a support agent to look your inventory up for you.",
    Capability.TRADES_OWN: "Ask a support agent where your trade stands, and tell them its number.",
    Capability.RESEND_OWN: "Ask a support agent to request the resend, and tell them the trade's number.",
    Capability.RESEND_ANY: "Ask a support agent to request the resend, and tell them the trade's number.",
    Capability.APPROVE_RESEND: "Nothing: the moderators were asked, and the requester will hear how it ends.",
    Capability.MANAGE_LINKS: "Ask a support agent to link the account. Your own link: `/link status`.",
}
"""Alternatives for a member without a capability."""


def _access_denied(error: AccessDenied, _: Audience) -> ErrorMessage:
    what = CAPABILITY_LABELS[error.capability].replace("their", "your")
    return ErrorMessage(
        "You may not do that",
        f"Nothing was done: none of your roles lets you {what} (`{error.capability.value}`).",
        _STEPS_WITHOUT.get(error.capability, "Ask the staff for it, or ask a member who has it."),
        "A member with `access.manage`: `/access grant` gives it to one of your roles",
        "As soon as one of your roles has it.",
    )


register_messages({AccessDenied: _access_denied})

_NAMED = 4
_DELETED_NAMED = 10
_LIST_ROOM = 2_400
_WARNING_FIELDS = 3
_VALUE = 1_024

_UNCHECKED = (
    "SkinDesk does not see this server yet, so it cannot tell who could give this role to themselves. "
    "Look at `/access list` in a minute."
)

_SENTENCES = {
    Concern.SELF_ASSIGNED: "members choose this role themselves.",
    Concern.BOOSTED: "members who boost the server get this role.",
    Concern.PURCHASED: "members who buy this role get it.",
    Concern.EVERYONE: "that is every member, new ones too.",
    Concern.MANAGED: "a bot or another service gives this role, not a person.",
}


class RoleNames:
    """The names of a guild's roles, for sentences and for commands."""

    def __init__(self, guild_id: int, names: Mapping[int, str]) -> None:
        self._guild_id = guild_id
        self._names = names

    def mention(self, role_id: int) -> str:
        """Return a mention of a role, or the id of a deleted one."""
        if role_id == self._guild_id:
            return "@everyone"
        return f"<@&{role_id}>" if role_id in self._names or not self._names else f"deleted role {code(str(role_id))}"

    def mentions(self, role_ids: Sequence[int], *, last: str = "or") -> str:
        """Return mentions of the first few roles, and the number of the others."""
        named = [self.mention(role_id) for role_id in role_ids[:_NAMED]]
        if len(role_ids) > _NAMED:
            named.append(count(len(role_ids) - _NAMED, "more role"))
        return f" {last} ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))

    def command(self, verb: str, role_id: int | None, capability: Capability) -> str:
        """Return the command that changes a grant, ready to type."""
        if role_id == self._guild_id:
            return f"`/access {verb} role:@everyone capability:{capability.value}`"
        name = plain(self._names.get(role_id or 0, ELLIPSIS).lstrip("@"), 100)
        return code(f"/access {verb} role:@{name} capability:{capability.value}")


def capability_names(capabilities: Iterable[Capability]) -> str:
    """Return the names of capabilities for a sentence."""
    return ", ".join(f"`{capability.value}`" for capability in sorted(capabilities))


def finding_lines(findings: Sequence[Finding], roles: RoleNames) -> list[str]:
    """Return a line for each warning; deleted roles share one."""
    lines = [_line(each, roles) for each in findings if each.concern is not Concern.DELETED]
    deleted = [each for each in findings if each.concern is Concern.DELETED]
    if deleted:
        ids = ", ".join(code(str(each.role_id)) for each in deleted[:_DELETED_NAMED])
        more = f" and {len(deleted) - _DELETED_NAMED} more" if len(deleted) > _DELETED_NAMED else ""
        lines.append(
            f"{count(len(deleted), 'deleted role')} ({ids}{more}) still {'has' if len(deleted) == 1 else 'have'} "
            "grants. No one can have them any more. A deleted role cannot be chosen in a command: "
            "*Revoke deleted roles* below takes their grants away."
        )
    return [f"⚠️ {line}" for line in lines]


def _line(finding: Finding, roles: RoleNames) -> str:
    if finding.concern is Concern.NO_APPROVER or finding.role_id is None:
        example = "`/access grant` it to your moderators' role."
        return f"**No one can approve resends**: no role that members have holds `resend.approve`. {example}"
    role = roles.mention(finding.role_id)
    has = f"{role} has {capability_names(finding.capabilities)}: "
    if finding.concern is Concern.GIVEN_WITHOUT_ACCESS:
        who = ", and ".join(_givers(finding.givers, roles))
        return (
            f"{has}{who} can give it to themselves without `access.manage`, because they have *Manage Roles* and stand "
            f"above it. Move {role} up in the list of roles, or take *Manage Roles* away."
        )
    first, *others = finding.capabilities
    likewise = "; likewise the others" if others else ""
    command = roles.command("revoke", finding.role_id, first)
    return f"{has}{_SENTENCES[finding.concern]} To take it away: {command}{likewise}"


def _givers(givers: Sequence[Giver], roles: RoleNames) -> Iterator[str]:
    """Yield who could give a role away; of pairs of roles, one is example enough."""
    alone = [giver.manager_id for giver in givers if not giver.above]
    if alone:
        yield f"members of {roles.mentions(alone)}"
    for giver in givers:
        if giver.above:
            manager = roles.mention(giver.manager_id)
            also = "" if manager == "@everyone" else f"members of {manager} who also are "
            yield f"{also}members of {roles.mentions(giver.above)}"
            return


def role_facts(guild: discord.Guild) -> tuple[RoleFacts, ...]:
    """Return the facts about a guild's roles."""
    return tuple(_facts(role, rank) for rank, role in enumerate(sorted(guild.roles)))


def role_names(guild: discord.Guild | None, guild_id: int) -> RoleNames:
    """Return the names of a guild's roles."""
    return RoleNames(guild_id, {role.id: role.name for role in guild.roles} if guild is not None else {})


def list_embed(review: Review, names: RoleNames, guild_id: int) -> discord.Embed:
    """Return all grants, one line for each role, and the warnings."""
    by_role: dict[int, list[Capability]] = defaultdict(list)
    for grant in review.grants:
        by_role[grant.role_id].append(grant.capability)
    ordered = sorted(by_role.items(), key=lambda held: (held[0] != guild_id, held[0]))
    lines = [f"{names.mention(role_id)}: {capability_names(capabilities)}" for role_id, capabilities in ordered]
    return card(
        title="Who may do what",
        description=_lines_within(lines, _LIST_ROOM, "role") or "No role holds anything.",
        fields=[
            Field("Always", f"The server's owner and administrators: {capability_names(BOOTSTRAP)}"),
            *finding_fields(review.findings, names),
        ],
        colour=Tone.WAITING if review.findings else Tone.NEUTRAL,
    )


def finding_fields(findings: Sequence[Finding], names: RoleNames) -> list[Field]:
    """Return the warnings as fields, and the number of those that do not fit."""
    waiting = finding_lines(findings, names)
    total = len(waiting)
    fields: list[Field] = []
    while waiting and len(fields) < _WARNING_FIELDS:
        is_last = len(fields) == _WARNING_FIELDS - 1
        fitting = _leading(waiting, _VALUE - (32 if is_last else 0))
        shown, waiting = waiting[:fitting], waiting[fitting:]
        if is_last and waiting:
            shown.append(f"…and {count(len(waiting), 'more warning')}.")
        title = f"Check: {count(total, 'warning')}" if not fields else "Check, continued"
        fields.append(Field(title, "\n".join(shown)))
    return fields


def change_embed(change: GrantChange, verb: str, findings: Sequence[Finding] | None, names: RoleNames) -> discord.Embed:
    """Return the result of a grant or a revocation, and the warnings about it; None if it could not be checked."""
    grant = change.grant
    unchecked = [] if findings is not None else [Field("⚠️ Not checked", _UNCHECKED)]
    return card(
        title="✅ Done" if change.changed else "Nothing to change",
        description=f"{names.mention(grant.role_id)} {verb} {_what(grant.capability)}.",
        fields=[*finding_fields(findings or (), names), *unchecked],
        colour=Tone.WAITING if findings or unchecked else Tone.GOOD if change.changed else Tone.NEUTRAL,
    )


def why_embed(why: Why, subject: Actor, member: discord.Member, names: RoleNames) -> discord.Embed:
    """Return whether a member has a right, why, and how to change that."""
    decision = why.decision
    capability = decision.capability
    may = f"<@{subject.user_id}> may {'' if decision.is_held else 'not '}{_what(capability)}."
    if not decision.is_held:
        holders = names.mentions(decision.holders, last="and")
        granters = ""
        if decision.granters:
            granters = f", and members with `{Capability.MANAGE_ACCESS.value}`: {names.mentions(decision.granters)}"
        fields = [
            Field(
                "Why",
                f"None of their roles holds it. It is held by {holders}."
                if holders
                else "No role of this server holds it.",
            ),
            Field("To give it", _how_to_give(decision.holders, capability, member, names)),
            Field("Who can grant it", f"The server's owner and administrators{granters}."),
        ]
        return card(title="⛔ No", description=may, fields=fields, colour=Tone.BAD)
    reasons = [_reason(role_id, row, names) for role_id, row in why.rows]
    ways = [names.command("revoke", role_id, capability) for role_id in decision.roles]
    if decision.by_office:
        office = "the server's owner" if member.guild.owner_id == member.id else "an administrator"
        reasons.insert(0, f"As {office}, who always holds {capability_names(BOOTSTRAP)}, whatever is granted.")
        ways.append("No command takes it from owner and administrators; only Discord's own permissions do.")
    fields = [
        Field("Why", _lines_within(reasons, _VALUE, "role")),
        Field("To take it away", _lines_within(ways, _VALUE, "role")),
    ]
    return card(title="✅ Yes", description=may, fields=fields, colour=Tone.GOOD)


def _what(capability: Capability) -> str:
    return f"{CAPABILITY_LABELS[capability]} (`{capability.value}`)"


def _facts(role: discord.Role, rank: int) -> RoleFacts:
    tags = role.tags
    marks = {
        Source.PROMPT: role.flags.in_prompt,
        Source.BOT: tags is not None and tags.is_bot_managed(),
        Source.BOOST: tags is not None and tags.is_premium_subscriber(),
        Source.CONNECTION: tags is not None and tags.is_guild_connection(),
        Source.PURCHASE: tags is not None and tags.subscription_listing_id is not None,
    }
    # A bot's and a purchasable role name the integration behind them too.
    if tags is not None and tags.is_integration() and not (marks[Source.BOT] or marks[Source.PURCHASE]):
        marks[Source.INTEGRATION] = True
    return RoleFacts(
        role_id=role.id,
        rank=rank,
        is_managed=role.managed,
        sources=frozenset(source for source, is_so in marks.items() if is_so),
        administers=role.permissions.administrator,
        manages_roles=role.permissions.manage_roles,
    )


def _how_to_give(holders: Sequence[int], capability: Capability, member: discord.Member, names: RoleNames) -> str:
    own = [role for role in sorted(member.roles, reverse=True) if not role.is_default() and not role.managed]
    existing = [role_id for role_id in holders if member.guild.get_role(role_id) is not None]
    ways = [f"Give them {names.mentions(existing)} in the server's list of members."] if existing else []
    if own:
        ways.append(f"To everyone with {names.mention(own[0].id)}: {names.command('grant', own[0].id, capability)}")
    elif not existing:
        ways.append(f"Give them a role, and then: {names.command('grant', None, capability)}")
    return "\n".join(ways)


def _reason(role_id: int, row: AuditRow | None, names: RoleNames) -> str:
    through = f"Through {names.mention(role_id)}"
    if row is None:
        return f"{through}; the audit log does not say since when."
    if row.action is AuditAction.GUILD_SEEDED:
        return f"{through}: everyone has it since SkinDesk was added, {moment(row.at)} (row {row.number})."
    by = "an erased user" if row.actor_id is None else f"<@{row.actor_id}>"
    return f"{through}: granted by {by}, {moment(row.at)} (row {row.number})."


def _lines_within(lines: Sequence[str], room: int, noun: str) -> str:
    """Return the lines that fit, and the number of the others."""
    fitting = _leading(lines, room)
    if fitting < len(lines):
        fitting = _leading(lines, room - 32)
        return "\n".join([*lines[:fitting], f"…and {count(len(lines) - fitting, f'more {noun}')}."])
    return "\n".join(lines)


def _leading(lines: Sequence[str], room: int) -> int:
    """Return how many of the first lines fit; at least one, which is cut later if it is too long."""
    for place, line in enumerate(lines):
        room -= utf16_length(line) + 1
        if room < -1:
            return max(place, 1)
    return len(lines)


def deleted_roles_view(findings: tuple[Finding, ...]) -> discord.ui.View | None:
    """Return the button that revokes the grants of deleted roles, if there are any."""
    if not any(finding.concern is Concern.DELETED for finding in findings):
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(RevokeDeletedButton())
    return view


@requires(Capability.MANAGE_ACCESS)
class RevokeDeletedButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"access:revoke-deleted"
):
    """Revokes the grants of deleted roles, which no command can name."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.Button(
                label="Revoke deleted roles",
                emoji="🧹",
                style=discord.ButtonStyle.secondary,
                custom_id="access:revoke-deleted",
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, _item: discord.ui.Item[discord.ui.View], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the pressed button."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Revoke the grants."""
        await handle(interaction, self._revoke)

    async def _revoke(self, session: InteractionSession) -> None:
        await session.defer()
        if not session.knows_all_roles:
            raise GuildNotSeen
        existing = {role.role_id for role in role_facts(session.require_guild())}
        if grants := await session.services.access.revoke_deleted(existing, by=session.actor):
            title, tone = "✅ Done", Tone.GOOD
            roles = count(len({grant.role_id for grant in grants}), "deleted role")
            text = f"{count(len(grants), 'grant')} of {roles} revoked."
        else:
            title, tone, text = "Nothing to change", Tone.NEUTRAL, "No deleted role holds anything any more."
        await session.reply(card(title=title, description=text, colour=tone))
