"""SQL of the products of a space, and of the software of its beneficiaries."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage.tables import product, software
from socle.db.database import WriteSession


async def lock(session: WriteSession, space: str) -> None:
    """One product at a time for a space, until the transaction ends."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('usage.product ' || :space, 0))"),
        {"space": space},
    )


async def count_products(session: AsyncSession, space: str, besides: str) -> int:
    result = await session.execute(
        select(func.count())
        .select_from(product)
        .where(product.c.space == space, product.c.product != besides)
    )
    total: int = result.scalar_one()
    return total


async def put_product(
    session: WriteSession, space: str, name: str, body: str, at: datetime
) -> None:
    statement = insert(product).values(space=space, product=name, body=body, stored_at=at)
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_product", set_={"body": body, "stored_at": at}
        )
    )


async def products(session: AsyncSession, space: str) -> Sequence[tuple[str, str]]:
    """(product, body), by name."""
    result = await session.execute(
        select(product.c.product, product.c.body)
        .where(product.c.space == space)
        .order_by(product.c.product)
    )
    return [(row.product, row.body) for row in result]


async def find_product(session: AsyncSession, space: str, name: str) -> str | None:
    result = await session.execute(
        select(product.c.body).where(product.c.space == space, product.c.product == name)
    )
    body: str | None = result.scalar_one_or_none()
    return body


async def delete_product(session: WriteSession, space: str, name: str) -> bool:
    result = await session.execute(
        delete_from(product)
        .where(product.c.space == space, product.c.product == name)
        .returning(product.c.product)
    )
    return result.one_or_none() is not None


async def put_software(
    session: WriteSession, space: str, beneficiary: str, body: str, at: datetime
) -> None:
    statement = insert(software).values(
        space=space, beneficiary=beneficiary, body=body, stored_at=at
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_software", set_={"body": body, "stored_at": at}
        )
    )


async def find_software(session: AsyncSession, space: str, beneficiary: str) -> str | None:
    result = await session.execute(
        select(software.c.body).where(
            software.c.space == space, software.c.beneficiary == beneficiary
        )
    )
    body: str | None = result.scalar_one_or_none()
    return body
