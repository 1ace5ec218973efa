"""Capabilities, roles and what is worth a look, in words for whoever decides on rights."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bot.domain.access import Capability
from bot.domain.access_doctor import Concern, Finding, Giver
from bot.ui.kit.text import ELLIPSIS, code, count, plain

WHAT = {
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
"""What each capability lets somebody do."""

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
