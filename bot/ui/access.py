"""The answers of ``/access``: who may do what, why a member may, what a change did, and what to check."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Self

import discord

from bot.domain.access import BOOTSTRAP, Actor, Capability, Grant
from bot.domain.access_doctor import Concern, Finding, Giver, RoleFacts, Source
from bot.domain.audit import AuditAction, AuditRow
from bot.domain.errors import AccessDenied
from bot.domain.snapshots import Audience
from bot.services.access import GrantChange, Review, Why
from bot.ui.errors import ErrorMessage, register_messages
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import ELLIPSIS, code, count, moment, plain, utf16_length

CAPABILITY_LABELS = {
    Capability.INVENTORY_OWN: "look up one's own inventory",
    Capability.INVENTORY_ANY: "look up anybody's inventory",
    Capability.TRADES_OWN: "see one's own trades",
    Capability.TRADES_ANY: "see everybody's trades",
    Capability.RESEND_OWN: "ask for resends of one's own trades",
    Capability.RESEND_ANY: "ask for resends of anybody's trades",
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
"""What a member without a capability can do instead."""


def _access_denied(error: AccessDenied, _: Audience) -> ErrorMessage:
    what = CAPABILITY_LABELS[error.capability].replace("one's", "your")
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

_SENTENCES = {
    Concern.SELF_ASSIGNED: "members choose this role themselves.",
    Concern.BOOSTED: "whoever boosts the server gets this role.",
    Concern.PURCHASED: "whoever buys this role gets it.",
    Concern.MANAGED: "a bot or another service gives this role, no person here does.",
}


class RoleNames:
    """The roles of a guild, as a sentence and as a command name them."""

    def __init__(self, guild_id: int, names: Mapping[int, str]) -> None:
        self._guild_id = guild_id
        self._names = names

    def mention(self, role_id: int) -> str:
        """Return a role for a place that renders markdown; it pings nobody."""
        if role_id == self._guild_id:
            return "@everyone"
        return f"<@&{role_id}>" if role_id in self._names or not self._names else f"deleted role {code(str(role_id))}"

    def mentions(self, role_ids: Sequence[int], *, last: str = "or") -> str:
        """Return some roles, the first few by name."""
        named = [self.mention(role_id) for role_id in role_ids[:_NAMED]]
        if len(role_ids) > _NAMED:
            named.append(count(len(role_ids) - _NAMED, "more role"))
        return f" {last} ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))

    def command(self, verb: str, role_id: int | None, capability: Capability) -> str:
        """Return the command that changes a grant, ready to be typed."""
        if role_id == self._guild_id:
            return f"`/access {verb} role:@everyone capability:{capability.value}`"
        name = plain(self._names.get(role_id or 0, ELLIPSIS).lstrip("@"), 100)
        return code(f"/access {verb} role:@{name} capability:{capability.value}")


def words_of(capabilities: Iterable[Capability]) -> str:
    """Return capabilities as commands write them."""
    return ", ".join(f"`{capability.value}`" for capability in sorted(capabilities))


def finding_lines(findings: Sequence[Finding], roles: RoleNames) -> list[str]:
    """Return a line for each thing worth a look; deleted roles share one."""
    lines = [_line(each, roles) for each in findings if each.concern is not Concern.DELETED]
    deleted = [each for each in findings if each.concern is Concern.DELETED]
    if deleted:
        ids = ", ".join(code(str(each.role_id)) for each in deleted[:_DELETED_NAMED])
        more = f" and {len(deleted) - _DELETED_NAMED} more" if len(deleted) > _DELETED_NAMED else ""
        lines.append(
            f"{count(len(deleted), 'deleted role')} ({ids}{more}) still {'has' if len(deleted) == 1 else 'have'} "
            "grants. Nobody can have them any more. A deleted role cannot be chosen in a command: "
            "*Revoke deleted roles* below takes their grants away."
        )
    return [f"⚠️ {line}" for line in lines]


def _line(finding: Finding, roles: RoleNames) -> str:
    if finding.concern is Concern.NO_APPROVER or finding.role_id is None:
        example = "`/access grant` it to your moderators' role."
        return f"**Nobody can approve resends**: no role that members have holds `resend.approve`. {example}"
    role = roles.mention(finding.role_id)
    has = f"{role} has {words_of(finding.capabilities)}: "
    if finding.concern is Concern.GIVEN_WITHOUT_ACCESS:
        who = ", and ".join(_givers(finding.givers, roles))
        return (
            f"{has}{who} can give it to themselves without `access.manage`, because they have *Manage Roles* and stand "
            f"above it. Move {role} up in the list of roles, or take *Manage Roles* away."
        )
    if finding.concern is Concern.EVERYONE:
        reason = "that is every member, whoever joins next too."
    else:
        reason = _SENTENCES[finding.concern]
    first, *others = finding.capabilities
    each = "; likewise the others" if others else ""
    return f"{has}{reason} To take it away: {roles.command('revoke', finding.role_id, first)}{each}"


def _givers(givers: Sequence[Giver], roles: RoleNames) -> Iterator[str]:
    """Say who could give a role away: first those whose one role is enough."""
    alone = [giver.manager_id for giver in givers if not giver.above]
    if alone:
        yield f"members of {roles.mentions(alone)}"
    for giver in givers:
        if giver.above:
            manager = roles.mention(giver.manager_id)
            also = "" if manager == "@everyone" else f"members of {manager} who also are "
            yield f"{also}members of {roles.mentions(giver.above)}"
            return  # one example of a pair is enough to look


_LIST_ROOM = 2_400
_FINDING_FIELDS = 3
_VALUE = 1_024
_WHAT_TO_LOOK_AT = "Worth a look"


def role_facts(guild: discord.Guild | None) -> tuple[RoleFacts, ...]:
    """Return what matters of a guild's roles; nothing where they are not known."""
    if guild is None or guild.unavailable:
        return ()
    return tuple(_facts(role, rank) for rank, role in enumerate(sorted(guild.roles)))


def role_names(guild: discord.Guild | None, guild_id: int) -> RoleNames:
    """Return how a guild's roles are called."""
    return RoleNames(guild_id, {role.id: role.name for role in guild.roles} if guild is not None else {})


def list_embed(review: Review, names: RoleNames, guild_id: int) -> discord.Embed:
    """Return every grant, a role a line, @everyone first, with what is worth a look below."""
    by_role: dict[int, list[Capability]] = defaultdict(list)
    for grant in review.grants:
        by_role[grant.role_id].append(grant.capability)
    ordered = sorted(by_role.items(), key=lambda held: (held[0] != guild_id, held[0]))
    lines = [f"{names.mention(role_id)}: {words_of(capabilities)}" for role_id, capabilities in ordered]
    return card(
        title="Who may do what",
        description=_lines_within(lines, _LIST_ROOM, "role") or "No role holds anything.",
        fields=[
            Field("Always", f"The server's owner and administrators: {words_of(BOOTSTRAP)}"),
            *finding_fields(review.findings, names),
        ],
        colour=Tone.WAITING if review.findings else Tone.NEUTRAL,
    )


def finding_fields(findings: Sequence[Finding], names: RoleNames) -> list[Field]:
    """Return the fields with what is worth a look; what has no room in them is counted."""
    waiting = finding_lines(findings, names)
    total = len(waiting)
    fields: list[Field] = []
    while waiting and len(fields) < _FINDING_FIELDS:
        is_last = len(fields) == _FINDING_FIELDS - 1
        fitting = _leading(waiting, _VALUE - (32 if is_last else 0))
        shown, waiting = waiting[:fitting], waiting[fitting:]
        if is_last and waiting:
            shown.append(f"…and {count(len(waiting), 'more warning')}.")
        title = f"{_WHAT_TO_LOOK_AT}: {count(total, 'warning')}" if not fields else f"{_WHAT_TO_LOOK_AT}, continued"
        fields.append(Field(title, "\n".join(shown)))
    return fields


def change_embed(change: GrantChange, verb: str, findings: Sequence[Finding], names: RoleNames) -> discord.Embed:
    """Return what a grant or a revocation did, with what became worth a look by it."""
    grant = change.grant
    return card(
        title="✅ Done" if change.changed else "Nothing to change",
        description=f"{names.mention(grant.role_id)} {verb} {_what(grant.capability)}.",
        fields=finding_fields(findings, names),
        colour=Tone.WAITING if findings else Tone.GOOD if change.changed else Tone.NEUTRAL,
    )


def revoked_embed(grants: Sequence[Grant]) -> discord.Embed:
    """Return what was taken from deleted roles."""
    roles = len({grant.role_id for grant in grants})
    return card(
        title="✅ Done" if grants else "Nothing to change",
        description=(
            f"{count(len(grants), 'grant')} of {count(roles, 'deleted role')} revoked."
            if grants
            else "No deleted role holds anything any more."
        ),
        colour=Tone.GOOD if grants else Tone.NEUTRAL,
    )


def unknown_roles_embed() -> discord.Embed:
    """Return what is said while Discord has not told which roles there are: then none can be called deleted."""
    return card(
        title="⚠️ The roles are not known yet",
        description="Discord has not told SkinDesk this server's roles. Nothing was done. Try again in a minute.",
        colour=Tone.WAITING,
    )


def why_embed(why: Why, subject: Actor, member: discord.Member, names: RoleNames) -> discord.Embed:
    """Return whether a member may do something: through what, since when, and what would change it."""
    decision = why.decision
    capability = decision.capability
    may = f"<@{subject.user_id}> may {'' if decision.is_held else 'not '}{_what(capability)}."
    if not decision.is_held:
        fields = [
            Field("Why", _why_not(decision.holders, names)),
            Field("To give it", _how_to_give(decision.holders, capability, member, names)),
            Field("Who can grant it", _granters(decision.granters, names)),
        ]
        return card(title="⛔ No", description=may, fields=fields, colour=Tone.BAD)
    reasons = [_reason(role_id, row, names) for role_id, row in why.rows]
    if decision.by_office:
        reasons.insert(0, f"As {_office(member)}, who always holds {words_of(BOOTSTRAP)}, whatever is granted.")
    fields = [Field("Why", _lines_within(reasons, _VALUE, "role")), Field("To take it away", _how_to_take(why, names))]
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


def _why_not(holders: Sequence[int], names: RoleNames) -> str:
    if not holders:
        return "No role of this server holds it."
    return f"None of their roles holds it. It is held by {names.mentions(holders, last='and')}."


def _how_to_give(holders: Sequence[int], capability: Capability, member: discord.Member, names: RoleNames) -> str:
    own = [role for role in sorted(member.roles, reverse=True) if not role.is_default() and not role.managed]
    existing = [role_id for role_id in holders if member.guild.get_role(role_id) is not None]
    ways = [f"Give them {names.mentions(existing)} in the server's list of members."] if existing else []
    if own:
        ways.append(f"To everybody with {names.mention(own[0].id)}: {names.command('grant', own[0].id, capability)}")
    elif not existing:
        ways.append(f"Give them a role, and then: {names.command('grant', None, capability)}")
    return "\n".join(ways)


def _granters(granters: Sequence[int], names: RoleNames) -> str:
    others = f" with {names.mentions(granters)}" if granters else ""
    everybody = f"administrators and whoever holds `{Capability.MANAGE_ACCESS.value}`{others}"
    return f"The server's owner, {everybody}." if granters else "The server's owner and administrators."


def _office(member: discord.Member) -> str:
    return "the server's owner" if member.guild.owner_id == member.id else "an administrator"


def _reason(role_id: int, row: AuditRow | None, names: RoleNames) -> str:
    through = f"Through {names.mention(role_id)}"
    if row is None:
        return f"{through}; the record does not say since when."
    if row.action is AuditAction.GUILD_SEEDED:
        return f"{through}: everybody has it since SkinDesk came, {moment(row.at)} (row {row.number})."
    by = "somebody who asked to be forgotten" if row.actor_id is None else f"<@{row.actor_id}>"
    return f"{through}: granted by {by}, {moment(row.at)} (row {row.number})."


def _how_to_take(why: Why, names: RoleNames) -> str:
    decision = why.decision
    ways = [names.command("revoke", role_id, decision.capability) for role_id in decision.roles]
    if decision.by_office:
        ways.append("No command takes it from owner and administrators; only Discord's own permissions do.")
    return _lines_within(ways, _VALUE, "role")


def _lines_within(lines: Sequence[str], room: int, noun: str) -> str:
    """Return the lines that fit, and how many were left out."""
    fitting = _leading(lines, room)
    if fitting < len(lines):
        fitting = _leading(lines, room - 32)
        return "\n".join([*lines[:fitting], f"…and {count(len(lines) - fitting, f'more {noun}')}."])
    return "\n".join(lines)


def _leading(lines: Sequence[str], room: int) -> int:
    """Return how many of the first lines fit; a first one that is too long is left to be cut."""
    for place, line in enumerate(lines):
        room -= utf16_length(line) + 1
        if room < -1:
            return max(place, 1)
    return len(lines)


def deleted_roles_view(findings: tuple[Finding, ...]) -> discord.ui.View | None:
    """Return the button where there is something for it to do."""
    if not any(finding.concern is Concern.DELETED for finding in findings):
        return None
    view = discord.ui.View(timeout=None)
    view.add_item(RevokeDeletedButton())
    return view


@requires(Capability.MANAGE_ACCESS)
class RevokeDeletedButton(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"access:revoke-deleted"
):
    """Revokes what deleted roles hold: no command can, because Discord lets nobody choose such a role."""

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
        """Rebuild the button that was pressed."""
        return cls()

    async def callback(self, interaction: Interaction) -> None:
        """Revoke, and say how much that was."""
        await handle(interaction, self._revoke)

    async def _revoke(self, session: InteractionSession) -> None:
        await session.defer()
        existing = {role.role_id for role in role_facts(session.interaction.guild)}
        if not existing:
            await session.reply(unknown_roles_embed())
            return
        grants = await session.services.access.revoke_deleted(existing, by=session.actor)
        await session.reply(revoked_embed(grants))
