"""Use cases: products and their referencing, the software of a beneficiary, and what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import sons_repository as repository
from services.usage.domain.measures import Beneficiary
from services.usage.domain.sons.calendar import calendar
from services.usage.domain.sons.derivation import Deadline, deadlines
from services.usage.domain.sons.products import Product, Use, Uses, Version, product_problems
from services.usage.indicators import name_of
from socle.clock import PARIS
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.problems import Problem, has_errors
from socle.spaces import Space

MAX_PRODUCTS = 500
_USES: TypeAdapter[tuple[Use, ...]] = TypeAdapter(Uses)


@dataclass(frozen=True, slots=True)
class Software:
    """What a beneficiary uses, with the products of its space."""

    uses: tuple[Use, ...]
    products: Mapping[str, Product]


def today(space: Space) -> date:
    """In Paris, by the clock of the space."""
    return space.now().astimezone(PARIS).date()


async def store_product(
    session: WriteSession, space: Space, name: str, product: Product
) -> tuple[Problem, ...]:
    """The last word holds. The warnings of it; raises DomainError with every problem."""
    problems = product_problems(calendar(), product)
    if has_errors(problems):
        raise DomainError(
            Category.INCORRECT,
            "product_refused",
            f"This product does not fit the calendar of SONS ({len(problems)} problems).",
            problems=problems,
        )
    await repository.lock(session, space.name)
    if await repository.count_products(session, space.name, besides=name) >= MAX_PRODUCTS:
        raise DomainError(
            Category.CONFLICT,
            "too_many_products",
            f"A space keeps {MAX_PRODUCTS} products at most.",
        )
    body = product.model_dump_json(by_alias=True, exclude_defaults=True)
    await repository.put_product(session, space.name, name, body, space.now())
    return tuple(problems)


async def products(session: AsyncSession, space: str) -> dict[str, Product]:
    return {
        name: Product.model_validate_json(body)
        for name, body in await repository.products(session, space)
    }


async def product_of(session: AsyncSession, space: Space, name: str) -> Product:
    body = await repository.find_product(session, space.name, name)
    if body is None:
        raise _unknown_product(name)
    return Product.model_validate_json(body)


async def delete_product(session: WriteSession, space: Space, name: str) -> None:
    if not await repository.delete_product(session, space.name, name):
        raise _unknown_product(name)


def _unknown_product(name: str) -> DomainError:
    return DomainError(
        Category.NOT_FOUND,
        "product_unknown",
        f"No product {name} is declared; PUT /usage/sons/products/{name} declares it.",
    )


def versions_on(
    found: Mapping[str, Product], day: date
) -> Iterable[tuple[str, Product, tuple[Version, ...]]]:
    """Products with the versions of theirs that are referenced on a day."""
    for name, product in found.items():
        referenced = tuple(it for it in product.versions if it.is_referenced(day))
        if referenced:
            yield name, product, referenced


async def store_software(
    session: WriteSession, space: Space, of: Beneficiary, uses: tuple[Use, ...]
) -> None:
    """All of it, at once; each product and version must be declared."""
    await name_of(session, space, of)
    known = await products(session, space.name)
    problems: list[Problem] = []
    for number, use in enumerate(uses):
        product = known.get(use.product)
        if product is None:
            message, expected = (
                f"no product {use.product}",
                ", ".join(known) or "a declared product",
            )
            problems.append(
                Problem("SONS-PRODUCT", f"/software/{number}/product", message, expected)
            )
        elif product.find(use.version) is None:
            message = f"{use.product} has no version {use.version}"
            expected = ", ".join(it.version for it in product.versions)
            problems.append(
                Problem("SONS-VERSION", f"/software/{number}/version", message, expected)
            )
    problems += [
        Problem(
            "SONS-PROOF", f"/software/{number}/proven_on", "no installation to prove then",
            "installed_on, and a day from it on",
        )
        for number, use in enumerate(uses)
        if use.proven_on and not (use.installed_on and use.installed_on <= use.proven_on)
    ]  # fmt: skip
    pairs = [(use.product, use.version) for use in uses]
    problems += [
        Problem("SONS-TWICE", f"/software/{number}", "this version stands twice", "once")
        for number, pair in enumerate(pairs)
        if pair in pairs[:number]
    ]
    if problems:
        raise DomainError(
            Category.INCORRECT,
            "software_refused",
            f"This software is not known here ({len(problems)} problems).",
            problems=problems,
        )
    body = _USES.dump_json(uses, exclude_defaults=True).decode()
    await repository.put_software(session, space.name, of.key, body, space.now())


async def software_of(session: AsyncSession, space: str, of: Beneficiary) -> Software:
    body = await repository.find_software(session, space, of.key)
    if body is None:
        return Software((), {})
    return Software(_USES.validate_json(body), await products(session, space))


def deadlines_of(
    found: Software, day: date
) -> Sequence[tuple[Use, Product | None, tuple[Deadline, ...]]]:
    return [
        (use, product, deadlines(calendar(), use, product, day) if product else ())
        for use in found.uses
        for product in [found.products.get(use.product)]
    ]
