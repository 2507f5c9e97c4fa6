"""May this professional read this record at all? Asked where a patient is named, so that a refusal has
a reason; what no condition of SQL shows is never shown anyway (conditions.shown_to)."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.dmp import record_repository
from services.dmp.domain.admission import judge
from services.dmp.domain.visibility import Reader
from socle.errors import Category, DomainError
from socle.problems import Problem


async def admit(session: AsyncSession, space: str, reader: Reader, pseudonym: str) -> list[Problem]:
    """What would be refused under `enforce`; raises a DomainError for what is refused now."""
    record = await record_repository.get_record(session, space, pseudonym)
    right = await record_repository.get_right(session, space, pseudonym, reader.identifier)
    refused, told = judge(reader, record, right)
    if refused is not None:
        raise DomainError(
            Category.FORBIDDEN,
            "access_denied",
            f"This record cannot be read: {refused.message}.",
            problems=[refused],
        )
    return told
