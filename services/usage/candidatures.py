"""Use cases: applications for windows, taken on their days by the space's clock.

`enforce` refuses one out of its time, and takes a dossier that applies for nothing at its word;
`warn` takes it and says so; `off` looks at no date.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from services.usage import candidatures_repository as repository
from services.usage.domain.candidatures import Dates, dates_of, newly_applied, out_of_time
from services.usage.domain.dossier import Dossier
from services.usage.domain.measures import Beneficiary
from services.usage.domain.rules import Programme
from services.usage.payments import read_dossier, store_dossier
from services.usage.referencing import today
from services.usage.rule_store import book_of
from socle.db.database import WriteSession
from socle.errors import Category, DomainError
from socle.problems import Problem
from socle.spaces import Space

Mode = Literal["off", "warn", "enforce"]


async def put(
    session: WriteSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    dossier: Dossier,
    mode: Mode,
) -> tuple[Dossier, list[Problem]]:
    """Stores the dossier, with what it applies for now; the dossier as it is kept, and the warnings. One
    that does not name its applications keeps those that there are."""
    rules = (await book_of(session, space.name, programme)).book.programme
    await repository.lock(session, space.name, of.key, programme)
    before = await read_dossier(session, space, programme, of)
    if before is not None and "applications" not in dossier.model_fields_set:
        # Who puts a base does not withdraw, nor apply for every window; null and {} say so.
        dossier = dossier.model_copy(update={"applications": before.applications})
    if mode == "enforce" and dossier.applications is None and dates_of(rules, today(space)):
        dossier = dossier.model_copy(update={"applications": {}})
    return dossier, await _store(session, space, rules, of, before, dossier, mode)


async def apply(
    session: WriteSession,
    space: Space,
    programme: str,
    of: Beneficiary,
    window: str | None,
    groups: Sequence[str],
    mode: Mode,
) -> tuple[str, list[Problem]]:
    """For the window that is named, or the one that takes applications now; the last one holds."""
    rules = (await book_of(session, space.name, programme)).book.programme
    window = window or _open_window(rules, space)
    await repository.lock(session, space.name, of.key, programme)
    before = await read_dossier(session, space, programme, of)
    dossier = before or Dossier()
    applications = {**(dossier.applications or {}), window: list(dict.fromkeys(groups))}
    dossier = dossier.model_copy(update={"applications": applications})
    return window, await _store(session, space, rules, of, before, dossier, mode)


def _open_window(rules: Programme, space: Space) -> str:
    known = dates_of(rules, today(space))
    found = next((name for name, it in known.items() if it.state == "open"), None)
    if found is None:
        raise _refused(rules, out_of_time(rules, today(space), known))
    return found


async def _store(
    session: WriteSession,
    space: Space,
    rules: Programme,
    of: Beneficiary,
    before: Dossier | None,
    dossier: Dossier,
    mode: Mode,
) -> list[Problem]:
    """Of a dossier that did not say, everything is applied for anew."""
    known = (before and before.applications) or {}
    added = newly_applied(known, dossier.applications or {})
    late = [] if mode == "off" else out_of_time(rules, today(space), added)
    if late and mode == "enforce":
        raise _refused(rules, late)
    await store_dossier(session, space, rules.programme, of, dossier)
    out = {problem.path.rpartition("/")[2] for problem in out_of_time(rules, today(space), added)}
    for window, groups in added.items():
        await repository.add(
            session,
            space.name,
            of.key,
            rules.programme,
            window,
            groups,
            space.now(),
            window not in out,
        )
    return late


def _refused(rules: Programme, problems: list[Problem]) -> DomainError:
    if not problems:
        return DomainError(
            Category.INCORRECT, "candidature_sans_fenetre",
            f"{rules.programme} has no application dates: name a window.",
        )  # fmt: skip
    return DomainError(
        Category.UNPROCESSABLE,
        "candidature_hors_fenetre",
        f"{rules.programme}: {'; '.join(problem.message for problem in problems)}.",
        problems=problems,
    )


async def read(
    session: AsyncSession, space: Space, programme: str, of: Beneficiary
) -> tuple[dict[str, Dates], Dossier | None, Sequence[Any]]:
    """The dates of the windows today, the dossier, and what was applied for when."""
    rules = (await book_of(session, space.name, programme)).book.programme
    return (
        dates_of(rules, today(space)),
        await read_dossier(session, space, programme, of),
        await repository.history(session, space.name, of.key, programme),
    )
