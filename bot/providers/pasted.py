# ruff: noqa: RUF001, RUF003 -- the words are of many alphabets
"""Finds numbers, HTTP statuses, keys and providers in a pasted text."""

from __future__ import annotations

import re

from bot.domain.failures import Dialect
from bot.domain.normal_forms import normalized

LONGEST_TEXT = 6000
"""Longer than any Discord message or embed; the rest is not searched."""

# People paste typographic minus signs and apostrophes, and Chinese and Japanese keyboards write full-width forms.
_ORDINARY = str.maketrans(
    {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
    | dict.fromkeys(map(ord, "‘’ʼ"), "'")
)
_AROUND = "`'\"*<>()[]{}.,;:!?|~“”„»« \t\r\n"
_NUMBER = r"-?[0-9]{1,5}(?![0-9A-Za-z_])(?!\.[0-9])"
# "error 2 times" and "Fehler 3 Mal" name no code.
_NO_CODE = (
    r"(?!\s{0,2}(?:%|(?:x|times?|days?|hours?|hrs?|min(?:ute)?s?|sec(?:ond)?s?|items?|skins?|mal|tage?n?|stunden?|minuten?|"
    r"fois|veces|vezes|volte|keer|razy|раза?|kez|kere|lần|d[ií]as?|horas?|minutos?|dni|dzień|godzin[ay]?|minut[ay]?|"
    r"дн(?:я|ей)|день|час(?:а|ов)?|минут[аы]?|gün|saat|dakika|ngày|giờ|phút)\b|[次回天日分小个個件]))"
)
_ALONE = re.compile(r"(?:#|№|n[ro]\.?|e[-_ ]?)?\s{0,3}(-?[0-9]{1,5})", re.IGNORECASE)
_LIST_ALONE = re.compile(r"-?[0-9]{1,5}(?:\s{0,2}[,;/|+&]\s{0,2}-?[0-9]{1,5}){1,9}")
# "error" and "code" in the customers' languages. The word next to the number is enough: "błędu" in "kod błędu 33".
_LABELS = (
    r"error[ _-]?codes?|fehler[ -]?(?:codes?|nummern?)|codes?|c[oó]digos?|codici|codice|codul|k[oó]d[ue]?|код[уа]?|"
    r"err(?:or)?s?|fehlern?|erreurs?|errores|erros?|errore|errori|fout(?:code|en)?|"
    r"b[łl][ęe]d(?:u|y|em)?|b[łl][ąa]d|hata(?:s[ıi])?|kodu[mn]?|ошиб(?:к[аиуе]|ок|кой)|помилк[аиу]|грешк[аи]|"
    r"chyb[aouy]|kód chyby|grešk[aeu]|gresk[aeu]|eroar(?:e|ea|ii)|hib(?:a|ák|akód|akódja)|lỗi|m[ãa](?: số)? l[ỗo]i|mã|"
    r"fel(?:kod)?|feil(?:kode)?|fejl(?:kode)?|virhe(?:koodi)?|kesalahan|galat|ralat|σφάλμα(?:τος)?|"
    r"خطأ|الخطأ|خطا|שגיאה|त्रुटि कोड"
)
# These languages write no spaces, so any letter may stand before the label.
_UNSPACED_LABELS = (
    r"[错錯][误誤](?:代[码碼]|[码碼]|[编編][号號])?|[报報][错錯](?:代[码碼])?|代[码碼]|エラー(?:コード|番号)?|コード|"
    r"(?:오류|에러)\s?(?:코드|번호)?|รหัสข้อผิดพลาด|ข้อผิดพลาด"
)
_LABELLED = re.compile(
    rf"(?:(?:(?<![^\W\d_])(?P<word>{_LABELS})|{_UNSPACED_LABELS})"
    r"(?:\s?(?:number|nummer|numer|numéro|número|numarası|no\.?|nr\.?|n\.?[°º]|núm\.?|№|số|code|is|was|ist|war|es|est|jest|[是为為は]))?|#)"
    rf"(?P<between>[\s\"'`*:=#(_]{{0,12}}+(?:-\s)?)(?P<number>{_NUMBER}){_NO_CODE}",
    re.IGNORECASE,
)
# "33 numaralı hata": the number stands before the word.
_NUMBER_FIRST = re.compile(
    r"(?<![\w.-])(?P<number>-?[0-9]{1,5})\s?"
    r"(?:(?:numaral[ıi]|kodlu|no'?lu)\shata|[号號](?:[错錯][误誤])|番の?エラー|번\s?(?:오류|에러))",
    re.IGNORECASE,
)
_FURTHER = re.compile(
    rf"\s?(?P<by>[,/&+;、]|and|und|or|oder|et|y|и|ve|e|i|和)\s?#?(?P<number>{_NUMBER}){_NO_CODE}", re.IGNORECASE
)
_PLURALS = ("s", "n", "fehler")
_HTTP = re.compile(
    r"(?:http(?:/[0-9](?:\.[0-9])?)?|status)(?:[ _-]?(?:status|code)){0,2}"
    r"[\s\"':=]{0,4}+(?P<labelled>[1-5][0-9]{2})(?![0-9])"
    r"|(?<![0-9.])(?P<named>[45][0-9]{2})\s(?:forbidden|unauthorized|not found|too many requests|bad request|"
    r"internal server error|bad gateway|service unavailable|gateway time-?out)"
    r"|\ban?\s(?P<spoken>[45][0-9]{2})(?=\s(?:from|error|at|by|on)\b|[.,!?]|$)",
    re.IGNORECASE,
)
# "status" in the customers' languages, with the word or number behind it.
_STATUS_LABEL = (
    r"(?:(?<![^\W\d_])(?:(?:trade|offer|deposit|order)?[ _-]?(?:status(?:es)?|state|zustand|durumu?|estado|statut|stan|"
    r"stato|статус|состояние|trạng thái|tình trạng|stav)|[^\W\d_]{3,20}status)|状态|狀態|ステータス|상태)"
)
_STATUS = re.compile(
    rf"{_STATUS_LABEL}(?:\s?(?:code|number|no\.?|nr\.?|is|was|ist|war|es|est|jest|[是为為は]))?"
    r"[\s\"'`*:=#(]{0,8}+(?P<word>-?[0-9]{1,3}(?![\w.])|[A-Za-z][A-Za-z_]{1,29})",
    re.IGNORECASE,
)
# "Status der Transaktion: 4", and `4` as SkinDesk's own pages write it.
_STATUS_OF = re.compile(
    rf"{_STATUS_LABEL}(?:\s[^\W\d_]{{1,16}}){{1,3}}\s?"
    r"(?::\s?(?P<number>-?[0-9]{1,3}(?![\w.]))|(?::\s?)?`(?P<word>-?[0-9]{1,3}|[A-Za-z][A-Za-z_]{1,29})`)",
    re.IGNORECASE,
)
_PROVIDERS = (
    (re.compile(r"mannco", re.IGNORECASE), frozenset({Dialect.MANNCO})),
    (re.compile(r"skins ?back|\"error_(?:code|message)\"", re.IGNORECASE), frozenset({Dialect.SKINSBACK})),
    (
        re.compile(r"assetpay(?:_legacy|\.co\b|[ ]\(\.co\))", re.IGNORECASE),
        frozenset({Dialect.ASSETPAY_LEGACY}),
    ),
    (
        re.compile(r"assetpay(?:_client|\.gg\b|[ ]\(\.gg\))|provider=assetpay(?!_)", re.IGNORECASE),
        frozenset({Dialect.ASSETPAY}),
    ),
    (
        re.compile(r"(?<!provider=)assetpay(?!_legacy|_client|\.co\b|\.gg\b|[ ]\()", re.IGNORECASE),
        frozenset({Dialect.ASSETPAY, Dialect.ASSETPAY_LEGACY}),
    ),
)


def tidied(text: str) -> str:
    """Return the beginning of the text in one line, with ordinary minus signs, apostrophes and digits."""
    return " ".join(normalized("NFC", text[:LONGEST_TEXT]).translate(_ORDINARY).split())


def numbers_alone(text: str) -> frozenset[int]:
    """Return the numbers of a text that consists of nothing else."""
    bare = text.strip(_AROUND)
    if alone := _ALONE.fullmatch(bare):
        return frozenset({int(alone[1])})
    if _LIST_ALONE.fullmatch(bare):
        return frozenset(map(int, re.findall(r"-?[0-9]+", bare)))
    return frozenset()


def labelled_numbers(text: str) -> frozenset[int]:
    """Return the numbers after a word for error or code, as in "errors 7 and 33"."""
    numbers = {int(found["number"]) for found in _NUMBER_FIRST.finditer(text)}
    for labelled in _LABELLED.finditer(text):
        number = labelled["number"]
        # "error-7" has a hyphen, "error -7" a minus sign.
        numbers.add(int(number if labelled["between"] else number.lstrip("-")))
        several = (labelled["word"] or "").casefold().endswith(_PLURALS)
        end = labelled.end()
        while (further := _FURTHER.match(text, end)) and (several or further["by"] == "/"):
            numbers.add(int(further["number"]))
            end = further.end()
    return frozenset(numbers)


def only_number(text: str) -> str | None:
    """Return the number, as typed, of a text that is one labelled number."""
    labelled = _LABELLED.fullmatch(text)
    return labelled["number"] if labelled else None


def possible_statuses(text: str) -> tuple[str, ...]:
    """Return what may be statuses: the words after "status" or "state", or the whole text."""
    labelled = [found["word"].rstrip("-") for found in _STATUS.finditer(text)]
    labelled += (found["word"] or found["number"] for found in _STATUS_OF.finditer(text))
    return tuple(labelled) or (text.strip(_AROUND).lstrip("#"),)


def http_statuses(text: str) -> frozenset[int]:
    """Return the numbers that a text calls HTTP statuses."""
    return frozenset(int(next(filter(None, found.groups()))) for found in _HTTP.finditer(text))


def providers_named(text: str) -> frozenset[Dialect]:
    """Return the dialects that a text names by a provider's name or the form of its answers."""
    return frozenset().union(*(dialects for pattern, dialects in _PROVIDERS if pattern.search(text)))


def plain_key(text: str) -> str:
    """Return a possible key in the form in which keys are compared: case and spaces do not count."""
    return "_".join(text.strip(_AROUND).casefold().replace("_", " ").split())


def as_key(text: str) -> str:
    """Return a key that was spelled with hyphens or in camel case in the form in which keys are compared."""
    bare = text.strip(_AROUND)
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare) if " " not in bare else bare
    return plain_key(parted.replace("-", " "))
