"""Answers of Mannco.store, in its envelope."""

from tests.support.loopback import as_json


def said(*, status=200, err=False, success=True, **fields):
    return as_json({"err": err, "success": success, **fields}, status)


def trades(*entries):
    return said(content={"trades": list(entries)})


def entry(number=1, **fields):
    return {"id": number, "user": "76561198000000000", "status": 0, **fields}


def logging_in(answer, *, jwts=("jwt1", "jwt2", "jwt3")):
    """Give out JWTs in turn, and answer the rest by ``answer``."""
    left = list(jwts)

    def script(request):
        return said(content={"jwt": left.pop(0)}) if request.path == "/user/login" else answer(request)

    return script
