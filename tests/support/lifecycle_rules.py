"""The life of an interaction: answered first and once, finished after a deferral, visible to one person."""

from collections.abc import Iterator, Sequence

from tests.support.discord_requests import Call, Kind

MESSAGE, THINKING, DEFERRED_UPDATE, CHOICES = 4, 5, 6, 8
_EPHEMERAL = 64
_FINISHING = frozenset({Kind.FOLLOW_UP, Kind.EDIT_RESPONSE, Kind.DELETE_RESPONSE})


def lifecycle(log: Sequence[Call]) -> Iterator[str]:
    """Find interactions that were left unfinished, answered wrongly or shown to others."""
    for token in dict.fromkeys(call.token for call in log if call.token):
        yield from _interaction([call for call in log if call.token == token], log)


def _interaction(own: Sequence[Call], log: Sequence[Call]) -> Iterator[str]:
    answers = [call for call in own if call.kind is Kind.CALLBACK]
    if own[0].kind is not Kind.CALLBACK:
        yield f"{own[0].where}: {own[0].kind} before the interaction was answered"
    for again in answers[1:]:
        yield f"{again.where}: answered twice"
    if not answers:
        return
    answer = answers[0]
    later = [call for call in own[own.index(answer) :] if call.kind in _FINISHING]
    match answer.callback_type:
        case 4 | 5 if not _is_ephemeral(answer):
            yield f"{answer.where}: visible to everybody"
        case 8 if later:
            yield f"{later[0].where}: {later[0].kind} on an autocomplete"
    if not later:
        edits = [call for call in log[log.index(answer) :] if call.kind is Kind.EDIT]
        if answer.callback_type == THINKING or (answer.callback_type == DEFERRED_UPDATE and not edits):
            yield f"{answer.where}: deferred and never finished"
    for place, call in enumerate(later):
        # The first message after "thinking…" replaces it and keeps its visibility.
        replaces_it = place == 0 and answer.callback_type == THINKING
        if call.kind is Kind.FOLLOW_UP and not replaces_it and not _is_ephemeral(call):
            yield f"{call.where}: visible to everybody"


def _is_ephemeral(call: Call) -> bool:
    return bool(int(call.data.get("flags") or 0) & _EPHEMERAL)
