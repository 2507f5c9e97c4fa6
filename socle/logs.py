"""Structured logs without any identifier of a patient, a professional or a token.

Values are dropped by key, whoever logs them: a name that slips into a call must not reach a file.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from socle.settings import Settings

FORBIDDEN_KEYS = frozenset(
    {
        "authorization", "token", "access_token", "refresh_token", "id_token", "code", "password",
        "secret", "client_secret", "cookie", "ins", "nir", "matricule", "rpps", "idnat",
        "national_id", "sub", "subject", "family", "given", "name_of_patient", "birth_date",
        "patient", "professional", "email", "mailbox", "body", "login_hint",
    }
)  # fmt: skip


def _drop_identifiers(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in event.keys() & FORBIDDEN_KEYS:
        event[key] = "[removed]"
    return event


def configure_logging(settings: Settings, service: str) -> None:
    """Sends structlog and the standard library to standard output, one line per entry."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_identifiers,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        # Plain: by default it writes every frame's local variables, hence bodies and tokens, and takes
        # the process for seconds to do so.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stdout.isatty(),
            pad_event_to=0,
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer]
        if settings.log_format == "json"
        else [*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(component=name)
    return logger
