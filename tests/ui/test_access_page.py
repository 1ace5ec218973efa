"""What /access shows fits Discord, says how much it leaves out, and gives commands that can be typed as they are."""

import pytest

from bot.domain.access import Capability, Grant
from bot.domain.access_doctor import RoleFacts, Source, examine
from bot.services.access import Review
from bot.ui.access import finding_lines, list_embed
from bot.ui.access_messages import CAPABILITY_LABELS
from bot.ui.roles import RoleNames
from cogs.access import _CHOICES
from tests.support.hostile_text import FRAGMENTS, HIDDEN, SPELT_OUT
from tests.support.seen import embed_text

GUILD, FIRST = 10**18, 10**18 + 1


def review_of(roles: int, *, existing: bool) -> Review:
    """Return a review of so many roles that hold everything; the existing ones are chosen by members themselves."""
    grants = [Grant(GUILD, FIRST + number, capability) for number in range(roles) for capability in Capability]
    facts = [RoleFacts(GUILD, 0, manages_roles=True)]
    if existing:
        everything = frozenset(Source)
        facts += [RoleFacts(FIRST + number, number + 1, sources=everything) for number in range(roles)]
    return Review(tuple(grants), examine(GUILD, grants, facts))


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("roles", [0, 1, 5, 12, 40, 250, 1_000])
def test_any_number_of_roles(roles: int, existing: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    """Every role and every warning has a line or is counted."""
    review = review_of(roles, existing=existing)
    names = RoleNames(GUILD, {FIRST + number: "W" * 100 for number in range(roles if existing else 0)})
    embed = list_embed(review, names, GUILD)
    text = embed_text(embed)

    lines = [line for line in (embed.description or "").splitlines() if line.startswith(("<@&", "deleted role"))]
    left_out = roles - len(lines)
    assert (f"…and {left_out:,} more role" in text) == (left_out > 0)
    assert all(line.endswith("`trades.own`") for line in lines), "no line is cut"
    warnings = finding_lines(review.findings, names)
    shown = [line for line in text.splitlines() if line.startswith("⚠️")]
    assert set(shown) <= set(warnings), "no warning is cut"
    hidden = len(warnings) - len(shown)
    assert (f"…and {hidden:,} more warning" in text) == (hidden > 0)
    assert "…and 0" not in text
    assert embed.footer.text is None, "nothing else was left out"
    assert len(embed) <= 6_000


@pytest.mark.parametrize("name", [*FRAGMENTS, *HIDDEN, SPELT_OUT])
def test_names_of_roles(name: str) -> None:
    """A role's name comes from outside: it is quoted in a command and can do nothing there."""
    command = RoleNames(GUILD, {FIRST: name}).command("revoke", FIRST, Capability.READ_AUDIT)

    assert command.startswith(("`/access revoke role:@", "`/access revoke role:\uff20"))
    assert command.endswith(" capability:audit.read`")
    assert command.count("`") == 2
    assert "\n" not in command


def test_every_capability_has_a_label() -> None:
    """Nothing can be granted that is not explained; the commands offer the same texts."""
    offered = {choice.value: str(choice.name) for choice in _CHOICES}

    assert offered == {capability.value: str(CAPABILITY_LABELS[capability]) for capability in Capability}
