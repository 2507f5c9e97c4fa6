"""Reports as JSON, CSV, XLSX and PDF: by `format`, or by the Accept header."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Header, Query, Response

from services.usage.api.calculations import AllowUnverified
from services.usage.api.forecasts import missing_json
from services.usage.api.payments import Euros, Options, Programme, Whose, options_of, payments_json
from services.usage.domain.measures import Beneficiary
from services.usage.domain.rules import written
from services.usage.reports.build import NATIONAL, SPACE, build
from services.usage.reports.content import Report
from services.usage.reports.tables import as_csv, as_french_csv
from services.usage.reports.writers import as_pdf, as_xlsx
from socle.auth.dependencies import CallerSpace
from socle.db.sessions import ReadSession
from socle.errors import Category, DomainError
from socle.spaces import Space

router = APIRouter(prefix="/usage", tags=["reports"])

Format = Literal["json", "csv", "csv-fr", "xlsx", "pdf"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "csv-fr": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
WRITERS: dict[Format, Callable[[Report], bytes]] = {
    "csv": as_csv,
    "csv-fr": as_french_csv,
    "xlsx": as_xlsx,
    "pdf": as_pdf,
}
Wanted = Annotated[Format | None, Query(alias="format", description="else by the Accept header")]
Accept = Annotated[str | None, Header()]


@router.get("/{kind}/{number}/report")
async def read_report(
    of: Whose,
    space: CallerSpace,
    session: ReadSession,
    programme: Programme,
    window: str | None = None,
    option: Options = [],  # noqa: B006 (FastAPI copies defaults)
    euros: Euros = True,
    allow_unverified: AllowUnverified = False,
    wanted: Wanted = None,
    accept: Accept = None,
) -> Response:
    """Each window up to now, or the one asked for, with charts and the source of every figure."""
    return await _answer(
        session, space, programme, of, window, option, euros, allow_unverified,
        wanted or negotiated(accept),
    )  # fmt: skip


@router.get("/national/report")
async def read_national_report(
    space: CallerSpace,
    session: ReadSession,
    window: str | None = None,
    option: Options = [],  # noqa: B006 (FastAPI copies defaults)
    wanted: Wanted = None,
    accept: Accept = None,
) -> Response:
    """All documents of the space against the national target, by year and family."""
    return await _answer(
        session, space, NATIONAL, SPACE, window, option, False, False, wanted or negotiated(accept)
    )


async def _answer(
    session: ReadSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    option: list[str],
    euros: bool,
    allow_unverified: bool,
    form: Format,
) -> Response:
    report = await build(
        session, space, programme, of, window, options_of(option),
        euros=euros, allow_unverified=allow_unverified,
    )  # fmt: skip
    if form == "json":
        return Response(orjson.dumps(_json(report), default=str), media_type=MEDIA_TYPES[form])
    content = await asyncio.to_thread(WRITERS[form], report)
    name = f"{programme}-{of.number or 'national'}.{form.partition('-')[0]}"
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{_plain(name)}"'},
    )


def negotiated(accept: str | None) -> Format:
    """The first form that an Accept header names, by its weights; JSON where it takes anything."""
    if not accept:
        return "json"
    ranges = sorted(_ranges(accept), key=lambda pair: -pair[1])
    for name, weight in ranges:
        if weight <= 0:
            continue
        if name in ("*/*", "application/*"):
            return "json"
        for form, media_type in MEDIA_TYPES.items():
            if name == media_type.partition(";")[0] or (name == "text/*" and form == "csv"):
                return form
    raise DomainError(
        Category.INCORRECT,
        "not_acceptable",
        f"A report is one of {', '.join(kind.partition(';')[0] for kind in MEDIA_TYPES.values())}.",
        status=406,
    )


def _ranges(accept: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for part in accept[:1000].lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        found.append((name, float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0))
    return found


def _plain(name: str) -> str:
    """A file name of letters that no header and no file system trips over."""
    return "".join(
        letter if (letter.isascii() and letter.isalnum()) or letter in ".-" else "_"
        for letter in name
    )


def _json(report: Report) -> dict[str, Any]:
    return {
        **payments_json(report.payments),
        "made_at": report.made_at,
        "verified": report.is_verified,
        "missing": {
            window: {code: [missing_json(each) for each in several] for code, several in it.items()}
            for window, it in report.missing.items()
        },
        "charts": [
            {
                "title": chart.title,
                "unit": chart.unit,
                "labels": list(chart.labels),
                "values": [None if value is None else written(value) for value in chart.values],
                "target": None if chart.target is None else written(chart.target),
            }
            for chart in report.charts
        ],
        "refused": {
            window: {"documents": counter.count, "by_rule": counter.by_rule}
            for window, counter in report.refused.items()
        },
        "families": [
            {"window": window, "family": family, "documents": count}
            for window, family, count in report.families
        ],
        "sources": [
            dict(
                zip(
                    ("window", "of", "figure", "value", "unit", "source", "confidence"),
                    row,
                    strict=True,
                )
            )
            for row in report.figures().rows
        ],
    }
