"""Commands of every state, and the way in (RFC 3501 §6.1, §6.2; RFC 4959 for SASL-IR)."""

import base64
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from services.mss import service
from services.mss.domain import sasl
from services.mss.imap.errors import Bad, No
from socle.errors import DomainError
from socle.logs import get_logger

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

BASE = "IMAP4rev1 LITERAL+ ID"
log = get_logger("mss.imap")


def capabilities(connection: "Connection") -> str:
    if not connection.secure:
        return f"{BASE} STARTTLS LOGINDISABLED"
    if connection.session is None:
        mechanisms = " ".join(f"AUTH={name}" for name in sasl.MECHANISMS)
        return f"{BASE} LOGINDISABLED SASL-IR {mechanisms}"
    limit = connection.settings.mss_max_message_bytes
    return f"{BASE} IDLE UIDPLUS MOVE UNSELECT CHILDREN SPECIAL-USE APPENDLIMIT={limit}"


async def capability(connection: "Connection", parser: "Parser") -> str:
    parser.end()
    connection.untagged(f"CAPABILITY {capabilities(connection)}".encode())
    return "CAPABILITY completed"


async def noop(_connection: "Connection", parser: "Parser") -> str:
    parser.end()
    return "NOOP completed"


async def logout(connection: "Connection", parser: "Parser") -> str:
    parser.end()
    connection.untagged(b"BYE Socle MSS closes the connection")
    connection.leaving = True
    return "LOGOUT completed"


async def identify(connection: "Connection", _parser: "Parser") -> str:
    """RFC 2971; what the client says of itself is not kept."""
    connection.untagged(b'ID ("name" "Socle MSS" "vendor" "Socle sandbox")')
    return "ID completed"


async def starttls(connection: "Connection", parser: "Parser") -> str:
    parser.end()
    if connection.secure:
        raise Bad("TLS is active already")
    connection.wants_tls = True
    return "Begin TLS negotiation now"


async def login(_connection: "Connection", _parser: "Parser") -> str:
    raise No("LOGIN is disabled; AUTHENTICATE XOAUTH2 with a PSC access token", "PRIVACYREQUIRED")


async def authenticate(connection: "Connection", parser: "Parser") -> str:
    parser.space()
    mechanism = parser.keyword()
    if connection.session is not None:
        raise Bad("you are logged in already")
    if not connection.secure:
        raise No("STARTTLS comes first", "PRIVACYREQUIRED")
    if mechanism not in sasl.MECHANISMS:
        raise No(f"the mechanisms are {' and '.join(sasl.MECHANISMS)}", "CANNOT")
    if parser.take(b" "):
        encoded = parser.buffer[parser.position :]
    else:
        encoded = await connection.ask(b"")
    if encoded == b"*":
        raise Bad("AUTHENTICATE was given up by the client")
    try:
        response = sasl.decode_base64(encoded)
        found = sasl.parse_response(mechanism, response)
    except sasl.MalformedResponseError as error:
        raise Bad(f"the {mechanism} response {error}") from error
    await _log_in(connection, found)
    return f"[CAPABILITY {capabilities(connection)}] {mechanism} authentication successful"


async def _log_in(connection: "Connection", found: sasl.BearerLogin) -> None:
    try:
        connection.session = await service.log_in(connection.kernel, found)
    except DomainError as error:
        log.info("login_refused", reason=error.code)
        if error.retriable:
            raise No("the token cannot be verified now", "UNAVAILABLE") from error
        await _refuse(connection)
    except (SQLAlchemyError, OSError) as error:
        raise No("temporary failure", "UNAVAILABLE") from error


async def _refuse(connection: "Connection") -> None:
    """The error as JSON in a continuation, the client's empty answer, NO (spec: mss.md §1.4)."""
    challenge = base64.b64encode(sasl.REFUSAL)
    if connection.settings.mss_drop_refused_login:
        connection.write(b"+ " + challenge + b"\r\n")
        connection.leaving = True
    else:
        await connection.ask(challenge)
    raise No("the access token is not accepted", "AUTHENTICATIONFAILED")
