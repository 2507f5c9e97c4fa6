"""/usage/sons: the calendar of the referencing, products and versions; and the software of a beneficiary."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.usage import referencing as use_cases
from services.usage.api.declaring import Declaring
from services.usage.api.inputs import Day, Strict
from services.usage.api.payments import Whose
from services.usage.api.render import sourced
from services.usage.api.rules import Slug
from services.usage.domain.rules.figures import Name
from services.usage.domain.sons.calendar import Couloir, Milestone, calendar
from services.usage.domain.sons.derivation import Deadline
from services.usage.domain.sons.products import Product, Use, Uses
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession, WriteSession
from socle.problems import Problem

router = APIRouter(prefix="/usage", tags=["sons"])


@router.get("/sons")
async def read_calendar(space: CallerSpace) -> dict[str, Any]:
    """Couloirs, waves and dates, each with its source; `passed` by the clock of the space."""
    known, today = calendar(), use_cases.today(space)
    return {
        "version": known.version,
        "title": known.title,
        "today": today,
        "couloirs": {name: _couloir(it, today) for name, it in known.couloirs.items()},
    }


def _couloir(it: Couloir, today: date) -> dict[str, Any]:
    return {
        "title": it.title,
        **sourced(it),
        "categories": {
            name: {"title": each.title, **sourced(each)} for name, each in it.categories.items()
        },
        "waves": {
            name: {
                "title": wave.title,
                **sourced(wave),
                "milestones": {
                    step: _milestone(each, today) for step, each in wave.milestones.items()
                },
            }
            for name, wave in it.waves.items()
        },
    }


def _milestone(it: Milestone, today: date) -> dict[str, Any]:
    return {
        "day": it.day,
        "precision": it.precision,
        "passed": it.day < today,
        "note": it.note,
        **sourced(it),
        "former": [{"day": each.day, "note": each.note, **sourced(each)} for each in it.former],
    }


@router.get("/sons/products")
async def list_products(
    space: CallerSpace,
    session: ReadSession,
    couloir: Annotated[Name | None, Query()] = None,
    category: Annotated[Name | None, Query()] = None,
    referenced_on: Annotated[Day | None, Query(description="only what is referenced then")] = None,
) -> list[dict[str, Any]]:
    found = {
        name: it
        for name, it in (await use_cases.products(session, space.name)).items()
        if couloir in (None, it.couloir) and category in (None, it.category)
    }
    if referenced_on is None:
        return [{"product": name, **_product(it)} for name, it in found.items()]
    return [
        {"product": name, **_product(it.model_copy(update={"versions": versions}))}
        for name, it, versions in use_cases.versions_on(found, referenced_on)
    ]


@router.get("/sons/products/{product}")
async def read_product(product: Slug, space: CallerSpace, session: ReadSession) -> dict[str, Any]:
    return {"product": product, **_product(await use_cases.product_of(session, space, product))}


@router.put("/sons/products/{product}")
async def put_product(
    product: Slug, body: Product, space: CallerSpace, session: WriteSession
) -> dict[str, Any]:
    """A vendor's product with all its versions, each with the waves that it is referenced in."""
    warnings = await use_cases.store_product(session, space, product, body)
    return {"product": product, **_product(body), "warnings": [problem_json(it) for it in warnings]}


@router.delete("/sons/products/{product}", status_code=204)
async def delete_product(product: Slug, space: CallerSpace, session: WriteSession) -> Response:
    """What uses it then uses a product that is unknown."""
    await use_cases.delete_product(session, space, product)
    return Response(status_code=204)


def _product(it: Product) -> dict[str, Any]:
    return it.model_dump(mode="json", by_alias=True)


def problem_json(it: Problem) -> dict[str, str]:
    return {
        "rule": it.rule, "path": it.path, "message": it.message, "expected": it.expected,
        "source": it.source,
    }  # fmt: skip


class SoftwareIn(Strict):
    software: Uses


@router.put("/{kind}/{number}/software")
async def put_software(
    of: Whose, body: SoftwareIn, space: CallerSpace, session: WriteSession, declaring: Declaring
) -> dict[str, Any]:
    """All the software of a structure or a professional: which version, ordered, installed, proven when."""
    await declaring.check_for(of)
    await use_cases.store_software(session, space, of, body.software)
    return body.model_dump(mode="json")


@router.get("/{kind}/{number}/software")
async def read_software(
    of: Whose,
    space: CallerSpace,
    session: ReadSession,
    on: Annotated[Day | None, Query(description="by default today, by the space's clock")] = None,
) -> dict[str, Any]:
    """Whether each is in use and referenced on a day, and the deadlines of SONS with what was done by then."""
    found = await use_cases.software_of(session, space.name, of)
    day = on or use_cases.today(space)
    return {
        of.kind: of.number,
        "on": day,
        "software": [
            _use(use, product, due, day)
            for use, product, due in use_cases.deadlines_of(found, use_cases.today(space))
        ],
    }


def _use(use: Use, product: Product | None, due: tuple[Deadline, ...], day: date) -> dict[str, Any]:
    version = product.find(use.version) if product else None
    latest = product.latest(day) if product else None
    return {
        **use.model_dump(mode="json"),
        "name": product and product.name,
        "couloir": product and product.couloir,
        "known": version is not None,
        "in_use": use.in_use(day),
        "referenced": version is not None and version.is_referenced(day),
        "latest": version is not None and version == latest,
        "certifications": list(version.certifications) if version else [],
        "deadlines": [
            {
                "wave": it.wave, "step": it.step, "by": it.by, "done_on": it.done_on,
                "status": it.status, "source": it.source, "confidence": it.confidence,
            }
            for it in due
        ],
    }  # fmt: skip
