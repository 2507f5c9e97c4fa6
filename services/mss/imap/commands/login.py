"""Commands of every state, and the way in (RFC 3501 §6.1, §6.2; RFC 4959 for SASL-IR)."""

import base64
from collections.abc import Awaitable
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy.exc import SQLAlchemyError

from services.mss import service
from services.mss.certificate_login import log_in_with_certificate
from services.mss.domain import sasl
from services.mss.domain.report_parts import ascii_line
from services.mss.imap.errors import Bad, No
from socle.errors import DomainError
from socle.logs import get_logger

if TYPE_CHECKING:
    from services.mss.imap.connection import Connection
    from services.mss.imap.parser import Parser

BASE = (
    "IMAP4rev1 LITERAL+ ID IDLE UIDPLUS MOVE UNSELECT CHILDREN NAMESPACE SPECIAL-USE QUOTA"
    " QUOTA=RES-STORAGE"
)
"""Told in every state: some clients (aioimaplib) ask before the login alone, and then know of no IDLE."""
log = get_logger("mss.imap")


def capabilities(connection: "Connection") -> str:
    if not connection.secure:
        return f"{BASE} STARTTLS LOGINDISABLED"
    if connection.session is None:
        mechanisms = " ".join(f"AUTH={name}" for name in _mechanisms(connection))
        return f"{BASE} LOGINDISABLED SASL-IR {mechanisms}"
    limit = connection.settings.mss_max_message_bytes
    return f"{BASE} APPENDLIMIT={limit}"


def _mechanisms(connection: "Connection") -> tuple[str, ...]:
    shown = connection.certificate is not None
    return (*sasl.MECHANISMS, sasl.EXTERNAL) if shown else sasl.MECHANISMS


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
    if mechanism not in _mechanisms(connection):
        raise No(f"the mechanisms are {', '.join(_mechanisms(connection))}", "CANNOT")
    if parser.take(b" "):
        encoded = parser.buffer[parser.position :]
    else:
        encoded = await connection.ask(b"")
    if encoded == b"*":
        raise Bad("AUTHENTICATE was given up by the client")
    try:
        response = sasl.decode_base64(encoded)
        if mechanism == sasl.EXTERNAL:
            user = sasl.parse_external(response)
            logging_in = log_in_with_certificate(
                connection.kernel, connection.certificate or b"", user
            )
        else:
            found = sasl.parse_response(mechanism, response)
            logging_in = service.log_in(connection.kernel, found)
    except sasl.MalformedResponseError as error:
        raise Bad(f"the {mechanism} response {error}") from error
    await _log_in(connection, logging_in, external=mechanism == sasl.EXTERNAL)
    return f"[CAPABILITY {capabilities(connection)}] {mechanism} authentication successful"


async def _log_in(
    connection: "Connection", logging_in: Awaitable[service.Session], *, external: bool
) -> None:
    try:
        session = await logging_in
    except DomainError as error:
        log.info("login_refused", reason=error.code)
        if error.retriable:
            raise No("the token cannot be verified now", "UNAVAILABLE") from error
        if external:
            raise No(ascii_line(error.detail), "AUTHENTICATIONFAILED") from error
        drop = connection.settings.mss_drop_refused_login
        await _refuse(connection, drop=drop, why=error.detail)
    except (SQLAlchemyError, OSError) as error:
        raise No("temporary failure", "UNAVAILABLE") from error
    else:
        rule = await connection.strike("login", session)
        if rule is not None:
            await _refuse(connection, drop=rule.effect == "drop_refused_token")
        connection.session = session


async def _refuse(connection: "Connection", *, drop: bool, why: str = "") -> NoReturn:
    """The error as JSON in a continuation, the client's empty answer, NO (spec: mss.md §1.4). Only the
    NO says why: real operators keep that to themselves."""
    challenge = base64.b64encode(sasl.REFUSAL)
    if drop:
        connection.write(b"+ " + challenge + b"\r\n")
        connection.leaving = True
    else:
        await connection.ask(challenge)
    refused = "the access token is not accepted"
    raise No(f"{refused}: {ascii_line(why)}" if why else refused, "AUTHENTICATIONFAILED")
