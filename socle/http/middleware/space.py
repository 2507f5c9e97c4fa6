"""`/s/<space>/…`: the explicit choice of a space, taken off the path before routing."""

from starlette.types import ASGIApp, Receive, Scope, Send

from socle.http.context import state_of
from socle.spaces import check_space_name

PREFIX = "/s/"


def split_space(path: str) -> tuple[str | None, str]:
    """("/s/acme/dmp/fhir") -> ("acme", "/dmp/fhir"); no prefix -> (None, path)."""
    if not path.startswith(PREFIX):
        return None, path
    name, slash, rest = path[len(PREFIX) :].partition("/")
    return check_space_name(name), slash + rest or "/"


class SpaceOfPath:
    """Sets `state["space"]` (None when the path names none) and `state["space_prefix"]`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            state = state_of(scope)
            state["space"], path = split_space(scope["path"])
            state["space_prefix"] = f"{PREFIX}{state['space']}" if state["space"] else ""
            if state["space"]:
                scope["path"] = path
                # The name may be percent-encoded there, so its own slash is looked for.
                _, slash, rest = scope["raw_path"][len(PREFIX) :].partition(b"/")
                scope["raw_path"] = slash + rest or b"/"
        await self.app(scope, receive, send)
