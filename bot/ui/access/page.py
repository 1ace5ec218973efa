"""The answers of /access: who may do what, why somebody may, and what a change brought about."""

from collections import defaultdict
from collections.abc import Sequence

import discord

from bot.domain.access import BOOTSTRAP, Actor, Capability, Grant
from bot.domain.access_doctor import Finding, RoleFacts, Source
from bot.domain.audit import AuditAction, AuditRow
from bot.services.access import GrantChange, Review, Why
from bot.ui.access.messages import WHAT, RoleNames, finding_lines, words_of
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import count, moment, utf16_length

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
        description=f"{names.mention(grant.role_id)} {verb} {WHAT[grant.capability]} (`{grant.capability.value}`).",
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
    may = f"<@{subject.user_id}> may {'' if decision.is_held else 'not '}{WHAT[capability]} (`{capability.value}`)."
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
