"""The answers of ``/access``: grants, the reasons for a right, the result of a change, and warnings."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import discord

from bot.domain.access import BOOTSTRAP, Actor, Capability
from bot.domain.access_doctor import Concern, Finding, Giver
from bot.domain.audit import AuditAction, AuditRow
from bot.domain.errors import GuildNotSeen
from bot.languages import Message, number, paragraph, t, tn
from bot.services.access import GrantChange, Review, Why
from bot.ui.access_messages import CAPABILITY_LABELS
from bot.ui.audit import actor_mention
from bot.ui.interaction.error_handler import handle
from bot.ui.interaction.rights import requires
from bot.ui.interaction.session import Interaction, InteractionSession
from bot.ui.kit.layout import Field, Tone, card
from bot.ui.kit.text import code, labelled, moment, utf16_length
from bot.ui.roles import RoleNames, role_facts

_DELETED_NAMED = 10
_LIST_ROOM = 2_400
_WARNING_FIELDS = 3
_VALUE = 1_024
_ROOM_FOR_NOTE = 64
"""For the number of lines that are left out, in any language."""

_CONCERNS = {
    Concern.SELF_ASSIGNED: Message("{role}: members choose this role themselves. It has: {capabilities}."),
    Concern.BOOSTED: Message("{role}: members who boost the server get this role. It has: {capabilities}."),
    Concern.PURCHASED: Message("{role}: members who buy this role get it. It has: {capabilities}."),
    Concern.EVERYONE: Message("{role}: that is every member, new ones too. It has: {capabilities}."),
    Concern.MANAGED: Message("{role}: a bot or another service gives this role, not a person. It has: {capabilities}."),
}


def capability_names(capabilities: Iterable[Capability]) -> str:
    """Return the names of capabilities for a sentence."""
    return ", ".join(f"`{capability.value}`" for capability in sorted(capabilities))


def finding_lines(findings: Sequence[Finding], roles: RoleNames) -> list[str]:
    """Return a line for each warning; deleted roles share one."""
    lines = [_line(each, roles) for each in findings if each.concern is not Concern.DELETED]
    if deleted := [each for each in findings if each.concern is Concern.DELETED]:
        ids = [code(str(each.role_id)) for each in deleted[:_DELETED_NAMED]]
        if len(deleted) > _DELETED_NAMED:
            ids.append(tn("{count} more", "{count} more", len(deleted) - _DELETED_NAMED))
        still = tn(
            "{count} deleted role still has capabilities ({roles}).",
            "{count} deleted roles still have capabilities ({roles}).",
            len(deleted),
            roles=", ".join(ids),
        )
        step = t(
            "No member can have a deleted role, and no command can name it. *Revoke deleted roles* below takes the "
            "capabilities away."
        )
        lines.append(paragraph(still, step))
    return [f"⚠️ {line}" for line in lines]


def _line(finding: Finding, roles: RoleNames) -> str:
    if finding.concern is Concern.NO_APPROVER or finding.role_id is None:
        return t(
            "**No one can approve resends**: no role that members have holds `resend.approve`. "
            "Give it to your moderators' role with `/access grant`."
        )
    role, capabilities = roles.mention(finding.role_id), capability_names(finding.capabilities)
    if finding.concern is Concern.GIVEN_WITHOUT_ACCESS:
        has = t(
            "{role}: members without `access.manage` can give it to themselves, because they have *Manage Roles* and "
            "stand above it. It has: {capabilities}.",
            role=role,
            capabilities=capabilities,
        )
        step = t("Move {role} up in the list of roles, or take *Manage Roles* away.", role=role)
        return paragraph(has, *_givers(finding.givers, roles), step)
    first, *others = finding.capabilities
    has = _CONCERNS[finding.concern](role=role, capabilities=capabilities)
    command = roles.command("revoke", finding.role_id, first)
    if others:
        return paragraph(has, t("To take them away, use one command for each: {command}", command=command))
    return paragraph(has, t("To take it away: {command}", command=command))


def _givers(givers: Sequence[Giver], roles: RoleNames) -> Iterator[str]:
    """Yield who could give a role away; of pairs of roles, one is example enough."""
    if alone := [giver.manager_id for giver in givers if not giver.above]:
        yield t("Members of these roles can: {roles}.", roles=roles.mentions(alone))
    for giver in givers:
        if giver.above:
            manager, above = roles.mention(giver.manager_id), roles.mentions(giver.above)
            if manager == "@everyone":
                yield t("Members of these roles can: {roles}.", roles=above)
            else:
                yield t(
                    "Members of {manager} can, if they also have one of these roles: {roles}.",
                    manager=manager,
                    roles=above,
                )
            return


def list_embed(review: Review, names: RoleNames, guild_id: int) -> discord.Embed:
    """Return all grants, one line for each role, and the warnings."""
    by_role: dict[int, list[Capability]] = defaultdict(list)
    for grant in review.grants:
        by_role[grant.role_id].append(grant.capability)
    ordered = sorted(by_role.items(), key=lambda held: (held[0] != guild_id, held[0]))
    lines = [labelled(names.mention(role_id), capability_names(capabilities)) for role_id, capabilities in ordered]
    return card(
        title=t("Who may do what"),
        description=_lines_within(lines, _LIST_ROOM) or t("No role has a capability."),
        fields=[
            Field(
                t("Always"),
                t("The server's owner and administrators: {capabilities}", capabilities=capability_names(BOOTSTRAP)),
            ),
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
        fitting = _leading(waiting, _VALUE - (_ROOM_FOR_NOTE if is_last else 0))
        shown, waiting = waiting[:fitting], waiting[fitting:]
        if is_last and waiting:
            shown.append(tn("…and {count} more warning.", "…and {count} more warnings.", len(waiting)))
        title = t("Check, continued") if fields else tn("Check: {count} warning", "Check: {count} warnings", total)
        fields.append(Field(title, "\n".join(shown)))
    return fields


def granted_embed(change: GrantChange, findings: Sequence[Finding] | None, names: RoleNames) -> discord.Embed:
    """Return the result of a grant, and the warnings about it; None if it could not be checked."""
    role, what = names.mention(change.grant.role_id), CAPABILITY_LABELS[change.grant.capability]()
    if change.changed:
        text = t("{role} may do this from now on:\n**{capability}**", role=role, capability=what)
    else:
        text = t("{role} may do this already:\n**{capability}**", role=role, capability=what)
    unchecked = Field(
        t("⚠️ Not checked"),
        t(
            "SkinDesk does not see this server yet, so it cannot tell who could give this role to themselves. "
            "Look at `/access list` in a minute."
        ),
    )
    fields = [*finding_fields(findings or (), names), *([unchecked] if findings is None else [])]
    return _changed_embed(change, text, fields)


def revoked_embed(change: GrantChange, names: RoleNames) -> discord.Embed:
    """Return the result of a revocation."""
    role, what = names.mention(change.grant.role_id), CAPABILITY_LABELS[change.grant.capability]()
    if change.changed:
        text = t("{role} may no longer do this:\n**{capability}**", role=role, capability=what)
    else:
        text = t("{role} may not do this anyway:\n**{capability}**", role=role, capability=what)
    return _changed_embed(change, text, [])


def _changed_embed(change: GrantChange, text: str, fields: Sequence[Field]) -> discord.Embed:
    return card(
        title=t("✅ Done") if change.changed else t("Nothing to change"),
        description=text,
        fields=fields,
        colour=Tone.WAITING if fields else Tone.GOOD if change.changed else Tone.NEUTRAL,
    )


def why_embed(why: Why, subject: Actor, member: discord.Member, names: RoleNames) -> discord.Embed:
    """Return whether a member has a right, why, and how to change that."""
    decision = why.decision
    capability, who = decision.capability, f"<@{subject.user_id}>"
    what = CAPABILITY_LABELS[capability]()
    if not decision.is_held:
        return card(
            title=t("⛔ No"),
            description=t("{member} may not do this:\n**{capability}**", member=who, capability=what),
            fields=[
                Field(t("Why"), _who_has_it(decision.holders, names)),
                Field(t("To give it"), _how_to_give(decision.holders, capability, member, names)),
                Field(t("Who can grant it"), _who_can_grant(decision.granters, names)),
            ],
            colour=Tone.BAD,
        )
    reasons = [_reason(role_id, row, names) for role_id, row in why.rows]
    ways = [names.command("revoke", role_id, capability) for role_id in decision.roles]
    if decision.by_office:
        always = capability_names(BOOTSTRAP)
        if member.guild.owner_id == member.id:
            office = t("As the server's owner, who always has these: {capabilities}", capabilities=always)
        else:
            office = t("As an administrator, who always has these: {capabilities}", capabilities=always)
        reasons.insert(0, office)
        ways.append(t("No command takes it from owner and administrators. Only Discord's own permissions do."))
    fields = [
        Field(t("Why"), _lines_within(reasons, _VALUE)),
        Field(t("To take it away"), _lines_within(ways, _VALUE)),
    ]
    text = t("{member} may do this:\n**{capability}**", member=who, capability=what)
    return card(title=t("✅ Yes"), description=text, fields=fields, colour=Tone.GOOD)


def _who_has_it(holders: Sequence[int], names: RoleNames) -> str:
    if not holders:
        return t("No role of this server has it.")
    return t("None of their roles has it. Roles that have it: {roles}", roles=names.mentions(holders))


def _who_can_grant(granters: Sequence[int], names: RoleNames) -> str:
    if not granters:
        return t("The server's owner and administrators.")
    return t(
        "The server's owner and administrators, and members with `access.manage`: {roles}",
        roles=names.mentions(granters),
    )


def _how_to_give(holders: Sequence[int], capability: Capability, member: discord.Member, names: RoleNames) -> str:
    own = [role for role in sorted(member.roles, reverse=True) if not role.is_default() and not role.managed]
    existing = [role_id for role_id in holders if member.guild.get_role(role_id) is not None]
    ways = []
    if existing:
        ways.append(t("Give them a role in the server's list of members: {roles}", roles=names.mentions(existing)))
    if own:
        command = names.command("grant", own[0].id, capability)
        ways.append(t("To everyone with {role}: {command}", role=names.mention(own[0].id), command=command))
    elif not existing:
        ways.append(t("Give them a role, and then: {command}", command=names.command("grant", None, capability)))
    return "\n".join(ways)


def _reason(role_id: int, row: AuditRow | None, names: RoleNames) -> str:
    role = names.mention(role_id)
    if row is None:
        return t("Through {role}. The audit log does not say since when.", role=role)
    if row.action is AuditAction.GUILD_SEEDED:
        # Translators: "row" is a row of the audit log.
        return t(
            "Through {role}: everyone has it since SkinDesk was added ({when}, row {row}).",
            role=role,
            when=moment(row.at),
            row=row.number,
        )
    return t(
        "Through {role}. Granted by: {who} ({when}, row {row})",
        role=role,
        who=actor_mention(row),
        when=moment(row.at),
        row=row.number,
    )


def _lines_within(lines: Sequence[str], room: int) -> str:
    """Return the lines about roles that fit, and the number of the others."""
    fitting = _leading(lines, room)
    if fitting < len(lines):
        fitting = _leading(lines, room - _ROOM_FOR_NOTE)
        more = tn("…and {count} more role.", "…and {count} more roles.", len(lines) - fitting)
        return "\n".join([*lines[:fitting], more])
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
                label=t("Revoke deleted roles"),
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
            text = t(
                "Capabilities revoked: {capabilities} · Deleted roles: {roles}",
                capabilities=number(len(grants)),
                roles=number(len({grant.role_id for grant in grants})),
            )
            done = card(title=t("✅ Done"), description=text, colour=Tone.GOOD)
        else:
            text = t("No deleted role has a capability any more.")
            done = card(title=t("Nothing to change"), description=text, colour=Tone.NEUTRAL)
        await session.reply(done)
