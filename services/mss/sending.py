"""Submission over HTTP, for tests: the same way in as SMTP, with every refusal at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from services.mss.delivery import Outcome, Refusal
from services.mss.domain.conversation import addresses_in
from services.mss.domain.envelope import Envelope, Recipient
from services.mss.domain.headers import parse_header, split_header
from services.mss.intake import Intake, Submitter
from socle.errors import Category, DomainError, too_large
from socle.problems import Problem


@dataclass(frozen=True, slots=True)
class Result:
    """Of one recipient; `refusal` is None where the message lies in their mailbox."""

    address: str = field(repr=False)
    refusal: Refusal | None
    reported: bool = False
    """Whether the refusal came after the acceptance, and by a report."""
    leaves: bool = False
    """Whether it waits to be handed to another operator."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """`id` is None where nobody takes it, and nothing was stored then."""

    id: UUID | None
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class SentMessage:
    id: UUID
    results: tuple[Result, ...]


async def send(
    intake: Intake, submitter: Submitter, envelope: Envelope, content: bytes
) -> SentMessage:
    """As `attempt`; DomainError where no recipient takes it."""
    tried = await attempt(intake, submitter, envelope, content)
    if tried.id is None:
        raise DomainError(
            Category.UNPROCESSABLE,
            "recipients_refused",
            "No recipient takes this message; nothing was stored.",
            problems=[problem_of(number, one) for number, one in enumerate(tried.results)],
        )
    return SentMessage(tried.id, tried.results)


async def attempt(
    intake: Intake, submitter: Submitter, envelope: Envelope, content: bytes
) -> Attempt:
    """As an SMTP client would: each RCPT first, then DATA to those who were not refused."""
    limit = intake.settings.mss_max_message_bytes
    if len(content) > limit:
        await intake.tell_refused(submitter, envelope, content, "too_large", 552)
        raise too_large(limit)
    refused = []
    kept = []
    for one in {one.address: one for one in envelope.recipients}.values():
        refusal = await intake.refusal_of(submitter, one.address)
        if refusal is None:
            kept.append(one)
        else:
            refused.append(Result(one.address, refusal))
    if not kept:
        return Attempt(None, tuple(refused))
    taken = Envelope(envelope.sender, tuple(kept), envelope.returned, envelope.envelope_id)
    submitted = await intake.submit(submitter, taken, content)
    return Attempt(submitted.message, (*map(_result, submitted.outcomes), *refused))


def _result(outcome: Outcome) -> Result:
    return Result(
        outcome.recipient.address,
        outcome.refusal,
        reported=outcome.refusal is not None,
        leaves=outcome.abroad,
    )


def problem_of(number: int, result: Result) -> Problem:
    assert result.refusal is not None
    answer = result.refusal.answer
    return Problem(
        f"MSS-{result.refusal.reason.upper().replace('_', '-')}",
        f"/recipients/{number}",
        f"{answer.code} {answer.status} {answer.text}",
        "a recipient of this space",
    )


def envelope_of(content: bytes, notify: frozenset[str] | None) -> Envelope:
    """From, To and Cc of the message itself; a Bcc would be seen by everybody."""
    header = parse_header(content[: split_header(content)])
    senders = addresses_in(header, "From", patients=True)
    recipients: Sequence[str] = [
        *addresses_in(header, "To", patients=True),
        *addresses_in(header, "Cc", patients=True),
    ]
    problems = []
    if len(senders) != 1:
        problems.append(Problem("MSS-FROM", "From", "no sender, or several", "one address"))
    if not recipients:
        problems.append(Problem("MSS-TO", "To", "no recipient", "an address in To or Cc"))
    if problems:
        raise DomainError(
            Category.UNPROCESSABLE, "envelope_missing", "The message says not from whom to whom.",
            problems=problems,
        )  # fmt: skip
    return Envelope(senders[0], tuple(Recipient(one, notify) for one in dict.fromkeys(recipients)))


def shown(result: Result) -> dict[str, Any]:
    if result.refusal is None:
        return {"address": result.address, "status": "queued" if result.leaves else "delivered"}
    answer = result.refusal.answer
    return {
        "address": result.address,
        "status": "returned" if result.reported else "refused",
        "reason": result.refusal.reason,
        "code": answer.code,
        "enhanced_code": answer.status,
        "text": answer.text,
    }
