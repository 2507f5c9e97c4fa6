"""The commands by name: each takes the connection and a parser standing after the name.

A handler writes its untagged responses and returns the text of its tagged OK; it refuses by
raising No or Bad. `UID X` is the handler of X with `by_uid`.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from services.mss.imap.commands import append, folders, idle, login, messages, moves, quota, search

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

Handler = Callable[["Connection", "Parser"], Awaitable[str]]

ANY_STATE: dict[str, Handler] = {
    "CAPABILITY": login.capability,
    "NOOP": login.noop,
    "LOGOUT": login.logout,
    "ID": login.identify,
    "STARTTLS": login.starttls,
    "AUTHENTICATE": login.authenticate,
    "LOGIN": login.login,
}
AUTHENTICATED: dict[str, Handler] = {
    "LIST": folders.list_,
    "LSUB": folders.lsub,
    "NAMESPACE": folders.namespace,
    "SUBSCRIBE": folders.subscribe,
    "UNSUBSCRIBE": folders.unsubscribe,
    "STATUS": folders.status,
    "SELECT": folders.select,
    "EXAMINE": folders.examine,
    "CREATE": folders.create,
    "DELETE": folders.delete,
    "RENAME": folders.rename,
    "APPEND": append.append,
    "IDLE": idle.idle,
    "GETQUOTA": quota.get_quota,
    "GETQUOTAROOT": quota.get_quota_root,
    "SETQUOTA": quota.set_quota,
}
SELECTED: dict[str, Handler] = {
    "CHECK": folders.check,
    "CLOSE": folders.close,
    "UNSELECT": folders.unselect,
    "EXPUNGE": moves.expunge,
    "FETCH": messages.fetch,
    "STORE": messages.store,
    "SEARCH": search.search,
    "COPY": moves.copy,
    "MOVE": moves.move,
    "UID FETCH": messages.uid_fetch,
    "UID STORE": messages.uid_store,
    "UID SEARCH": search.uid_search,
    "UID COPY": moves.uid_copy,
    "UID MOVE": moves.uid_move,
    "UID EXPUNGE": moves.uid_expunge,
}
EXPUNGE_FORBIDDEN = frozenset({"FETCH", "STORE", "SEARCH"})
"""During these, EXPUNGE would shift the numbers under the client (RFC 3501 §7.4.1)."""

CHANGING = frozenset(
    {"CREATE", "DELETE", "RENAME", "APPEND", "STORE", "UID STORE", "COPY", "UID COPY", "MOVE"}
    | {"UID MOVE", "EXPUNGE", "UID EXPUNGE", "UNSUBSCRIBE"}
)
"""What a delegate who may only read is refused."""
