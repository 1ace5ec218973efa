"""Every rule of the payload audit has a payload that breaks it and nothing else."""

import pytest

from tests.support.payload_audit import audit_requests
from tests.support.payload_samples import (
    BUTTON,
    CHOICE,
    CLEAN,
    COMMAND,
    INPUT,
    OPTION,
    OPTION_TWO,
    SELECT,
    SILENT,
    TITLE,
    answered,
    deferred,
    edited,
    follow_up,
    in_row,
    offered,
    original_edited,
    posted,
    request,
    synced,
    with_embed,
    with_modal,
    with_option,
    with_options,
    with_row,
)


@pytest.mark.parametrize("requests", CLEAN.values(), ids=CLEAN)
def test_clean(requests):
    """A correct payload breaks no rule."""
    assert audit_requests(requests) == []


BROKEN = {
    # messages
    "message is empty": posted(content="  "),
    "content has 2001": posted(content="x" * 2001),
    "content has 2002": posted(content="💰" * 1001),
    "allowed_mentions is missing": [request("POST", "/channels/1/messages", {"content": "x"})],
    "allowed_mentions lets": posted(content="x", allowed_mentions={"parse": ["users"]}),
    "allowed_mentions lets a role": posted(content="<@&1> x", allowed_mentions={"parse": [], "roles": [1]}),
    "hidden character U+202E": posted(content="a\u202eb"),
    # embeds
    "embeds: 11, more than 10": posted(embeds=[TITLE] * 11),
    "embeds have 6009 characters together": with_embed(
        description="x" * 3000,
        footer={"text": "x" * 2000},
        author={"name": "x" * 200},
        fields=[{"name": "x" * 100, "value": "x" * 700}],
    ),
    "embeds[0] is empty": posted(embeds=[{"color": 1}]),
    "embeds[0].title has 257": with_embed(title="x" * 257),
    "embeds[0].description has 4097": with_embed(description="x" * 4097),
    "embeds[0].author.name has 257": with_embed(author={"name": "x" * 257}),
    "embeds[0].footer.text has 2049": with_embed(footer={"text": "x" * 2049}),
    "embeds[0].fields: 26": with_embed(fields=[{"name": "n", "value": "v"}] * 26),
    "embeds[0].fields[0].name has 257": with_embed(fields=[{"name": "x" * 257, "value": "v"}]),
    "embeds[0].fields[0].value has 1025": with_embed(fields=[{"name": "n", "value": "x" * 1025}]),
    "embeds[0].color": with_embed(color=0x1000000),
    # addresses
    "embeds[0].image.url leads to http://": with_embed(image={"url": "http://steamcommunity.com/x"}),
    "embeds[0].url leads to https://evil.example": with_embed(url="https://evil.example"),
    "embeds[0].author.icon_url is no address": with_embed(author={"name": "x", "icon_url": "https://[x"}),
    "embeds[0].image.url has 2049": with_embed(image={"url": "https://steamcommunity.com/".ljust(2049, "x")}),
    "content leads to https://evil.example": posted(content="see https://evil.example/?token=x"),
    "embeds[0].description leads to steam://run": with_embed(description="[run](steam://run/1)"),
    "embeds[0].fields[0].value leads to": with_embed(fields=[{"name": "n", "value": "http://evil.example"}]),
    "components[0][0].url leads to": with_row({"type": 2, "style": 5, "label": "x", "url": "https://evil.example"}),
    # components
    "components: 6 rows": posted(
        embeds=[TITLE],
        components=[{"type": 1, "components": [{**BUTTON, "custom_id": str(place)}]} for place in range(6)],
    ),
    "components[0] is an empty row": with_row(),
    "components[0] has 6 buttons": with_row(*({**BUTTON, "custom_id": str(place)} for place in range(6))),
    "components[0] has a select menu beside": with_row(SELECT, BUTTON),
    "components[0] is no action row": posted(components=[{"type": 17, "components": []}]),
    "components[0][0] is neither": with_row(INPUT),
    "components[0][0] has neither label nor emoji": with_row({**BUTTON, "label": " "}),
    "components[0][0].label has 81": with_row({**BUTTON, "label": "x" * 81}),
    "components[0][0].style": with_row({**BUTTON, "style": 7}),
    "components[0][0].custom_id has 101": with_row({**BUTTON, "custom_id": "x" * 101}),
    "components[0][0].custom_id is not ASCII": with_row({**BUTTON, "custom_id": "é"}),
    "components[0][0] is a link and has a custom_id": with_row(
        {**BUTTON, "style": 5, "url": "https://steamcommunity.com"}
    ),
    "components[0][0] has an address": with_row({**BUTTON, "url": "https://steamcommunity.com"}),
    "custom_id 'page:1:next' is there 2 times": with_row(BUTTON, BUTTON),
    "components[0][0].options: 26": with_row(
        {**SELECT, "options": [{"label": "x", "value": str(n)} for n in range(26)]}
    ),
    "components[0][0].options have the value '1' 2 times": with_row({**SELECT, "options": [OPTION, OPTION]}),
    "components[0][0].options[0].label has 101": with_row({**SELECT, "options": [{**OPTION, "label": "x" * 101}]}),
    "components[0][0].options[0].value is empty": with_row({**SELECT, "options": [{**OPTION, "value": ""}]}),
    "components[0][0].options[0].description has 101": with_row(
        {**SELECT, "options": [{**OPTION, "description": "x" * 101}]}
    ),
    "components[0][0].custom_id has 101 ": with_row({**SELECT, "custom_id": "x" * 101}),
    "components[0][0].placeholder has 151": with_row({**SELECT, "placeholder": "x" * 151}),
    "components[0][0] takes 2 to 1 values": with_row({**SELECT, "min_values": 2, "options": [OPTION, OPTION_TWO]}),
    "components[0][0] takes more values": with_row({**SELECT, "max_values": 2}),
    "components[0][0] has more defaults": with_row(
        {**SELECT, "options": [{**OPTION, "value": value, "default": True} for value in "12"]}
    ),
    # modals
    "title has 46": with_modal(title="x" * 46),
    "type 9: custom_id has 101": with_modal(custom_id="x" * 101),
    "components: 0, not 1 to 5": with_modal(components=[]),
    "components: 6, not 1 to 5": with_modal(*(in_row(custom_id=str(place)) for place in range(6))),
    "components[0].label has 46": with_modal(in_row(label="x" * 46)),
    "components[0].custom_id has 101": with_modal(in_row(custom_id="x" * 101)),
    "components[0].placeholder has 101": with_modal(in_row(placeholder="x" * 101)),
    "components[0] takes 5 to 2": with_modal(in_row(min_length=5, max_length=2)),
    "components[0].value has 11": with_modal(in_row(max_length=10, value="x" * 11)),
    "custom_id 'reason' is there 2 times": with_modal(in_row(), in_row()),
    "components[0] has 2 inputs": with_modal({"type": 1, "components": [INPUT, {**INPUT, "custom_id": "b"}]}),
    "components[0] has type 2": with_modal(BUTTON, in_row()),
    "components[0].description has 101": with_modal(
        {"type": 18, "label": "Reason", "description": "x" * 101, "component": INPUT}
    ),
    "components[0].content is empty": with_modal({"type": 10, "content": ""}, in_row()),
    "components[0] takes 2 to 1 values": with_modal(
        {"type": 18, "label": "Reason", "component": {**SELECT, "min_values": 2, "options": [OPTION, OPTION_TWO]}}
    ),
    "components[0] is neither text input": with_modal({"type": 18, "label": "Reason", "component": BUTTON}),
    # autocomplete
    "choices: 26": offered(*({"name": str(number), "value": number} for number in range(26))),
    "choices[0].name has 101": offered({"name": "x" * 101, "value": "x"}),
    "choices[0].value has 101": offered({"name": "x", "value": "x" * 101}),
    "choices[0].value is neither": offered({"name": "x", "value": None}),
    # who sees it
    "visible to everybody": [answered(4, {**SILENT, "content": "x"})],
    "visible to everybody  ": [deferred(), original_edited(), follow_up()],
    "visible to everybody   ": [answered(6), follow_up()],
    # the life of an interaction
    "answered twice": [deferred(), deferred(), original_edited()],
    "follow-up before the interaction was answered": [follow_up(flags=64), deferred(), original_edited()],
    "type 5: deferred and never finished": [deferred()],
    "type 6: deferred and never finished": [*edited(embeds=[TITLE]), answered(6)],
    "follow-up on an autocomplete": [*offered(), follow_up(flags=64)],
    "3 is no kind of answer": [answered(3)],
    # commands
    "101 commands of type 1": synced(*({**COMMAND, "name": f"a{number}"} for number in range(101))),
    "16 commands of type 2": synced(*({"type": 2, "name": f"A {number}", "contexts": [0]} for number in range(16))),
    "command 'trades' of type 1 is there 2 times": synced(COMMAND, COMMAND),
    "'Trades' is no name": synced({**COMMAND, "name": "Trades"}),
    "command 'trades'.description has 101": synced({**COMMAND, "description": "x" * 101}),
    "command 'trades' is not described": synced({**COMMAND, "description": "…"}),
    "command 'trades'.description in de has 101": synced({**COMMAND, "description_localizations": {"de": "x" * 101}}),
    "command 'trades' has another name in other languages": synced({**COMMAND, "name_localizations": {"de": "handel"}}),
    "command 'trades'.option.choices[0].name in de has 101": with_options(
        {
            "name": "option",
            "type": 3,
            "choices": [{"name": "one", "value": "one", "name_localizations": {"de": "x" * 101}}],
        }
    ),
    "command 'trades' sets default_member_permissions": synced({**COMMAND, "default_member_permissions": "8"}),
    "command 'trades' can be used outside guilds": synced({**COMMAND, "contexts": [0, 1]}),
    "is a context menu and has": synced({"type": 3, "name": "Explain", "description": "x", "contexts": [0]}),
    f"command '{'x' * 33}'.name has 33": synced({"type": 3, "name": "x" * 33, "contexts": [0]}),
    "command 'trades' has 8016 characters": with_options(
        *(
            {
                "name": f"a{option:02}",
                "choices": [
                    {"name": f"{choice:02}".ljust(8, "x"), "value": f"{choice:02}".ljust(9, "x")}
                    for choice in range(18)
                ],
            }
            for option in range(25)
        )
    ),
    "26 options": with_options(*({"name": f"a{number}"} for number in range(26))),
    "option 'a' is there 2 times": with_options({"name": "a"}, {"name": "a"}),
    "a required option comes after": with_options({"name": "a"}, {"name": "b", "required": True}),
    "has subcommands beside options": with_options({"name": "a"}, {"name": "b", "type": 1}),
    "is nested too deep": with_options(
        {"name": "a", "type": 2, "options": [{"name": "b", "type": 2, "description": "x"}]}
    ),
    "'Id' is no name": with_option(name="Id"),
    "26 choices": with_option(choices=[{"name": str(number), "value": str(number)} for number in range(26)]),
    "choices and autocomplete": with_option(choices=[CHOICE], autocomplete=True),
    "choices[0].name has 101 ": with_option(choices=[{**CHOICE, "name": "x" * 101}]),
    "choice 'Name' is there 2 times": with_option(choices=[CHOICE, CHOICE]),
    "takes 9 to 2 characters": with_option(min_length=9, max_length=2),
}


@pytest.mark.parametrize(("violation", "requests"), BROKEN.items(), ids=BROKEN)
def test_broken(violation, requests):
    """A payload that breaks one rule is reported with exactly that rule."""
    found = audit_requests(requests)

    assert len(found) == 1
    assert violation.rstrip() in found[0]
