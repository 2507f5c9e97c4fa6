"""What a search of the registry asks for, as conditions of SQL."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Column, ColumnElement, and_, cast, func, or_, select, true, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from services.dmp.domain.visibility import Reader
from services.dmp.tables import access_right, association, document, record

_MANY = frozenset({"confidentiality", "event_codes"})


@dataclass(frozen=True, slots=True)
class Order:
    """In which entries are listed; those of one instant by entryUUID."""

    by: Literal["created_at", "registered_at"] = "created_at"
    newest_first: bool = True


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Criteria of ITI-67; an empty one does not restrict. Periods are half open; of what is in groups, each
    group must hold by one of its members."""

    patient: str | None = None  # pseudonym
    ids: tuple[tuple[UUID, ...], ...] = ()  # logicalIds or entryUUIDs
    identifiers: tuple[tuple[str, ...], ...] = ()
    statuses: tuple[str, ...] = ()
    type_codes: tuple[str, ...] = ()
    class_codes: tuple[str, ...] = ()
    created: tuple[tuple[datetime | None, datetime | None], ...] = ()
    stamps: tuple[tuple[str, datetime | None, datetime | None], ...] = ()  # by attribute of XDS
    codes: tuple[tuple[str, tuple[str, ...]], ...] = ()  # attribute of XDS, and any of its codes
    authors: tuple[tuple[str, ...], ...] = ()  # patterns of LIKE for an XCN, any of each group
    references: tuple[tuple[str, ...], ...] = ()  # identifiers of referenceIdList
    relates_to: tuple[tuple[str, ...], ...] = ()  # names of what these replace or complete
    latest_only: bool = False  # FHIR shows a document once, XDS every version
    order: Order = Order()
    after: tuple[datetime, UUID] | None = None  # in that order


def order_of(order: Order) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    columns = (document.c[order.by], document.c.id)
    return (columns[0].desc(), columns[1].desc()) if order.newest_first else columns


def shown_to(space: str, reader: Reader) -> ColumnElement[bool]:
    """Of documents: those of records that are open to the reader, and of these what is masked for its
    owners and the treating doctor only (spec: dmp.md §1.9; mes.md §A.6). Owners find their own documents
    without an authorization, and open none of them."""
    if reader.sees_everything:
        return true()
    patient = document.c.patient
    own = document.c.owners.contains([reader.identifier])
    masked = [
        ~document.c.masked,
        own,
        _has_right(space, patient, reader, access_right.c.is_treating_doctor),
    ]
    if reader.is_emergency:
        masked.append(_record_says(space, patient, record.c.shows_masked_in_emergency))
    open_record = open_to(space, patient, reader)
    if reader.finds_own_without_right:
        without_right = open_to(space, patient, replace(reader, needs_right=False))
        open_record = or_(open_record, and_(own, without_right))
    conditions = [or_(*masked), open_record]
    if reader.hidden_classes:
        conditions.append(or_(own, document.c.class_code.not_in(reader.hidden_classes)))
    return and_(*conditions)


def open_to(space: str, patient: Column[str], reader: Reader) -> ColumnElement[bool]:
    """Whatever is asked: nothing of a closed record, of a patient who blocked the reader, or of one who
    opposes this kind of emergency. `patient` is a column of what is looked for."""
    if reader.sees_everything:
        return true()
    conditions = [
        ~_has_right(space, patient, reader, access_right.c.mode == "INTERDITE"),
        ~_record_says(space, patient, record.c.status != "active"),
    ]
    if reader.purpose == "bris_de_glace":
        conditions.append(~_record_says(space, patient, record.c.opposes_break_glass))
    elif reader.purpose == "centre_15":
        conditions.append(~_record_says(space, patient, record.c.opposes_emergency))
    elif reader.needs_right:
        conditions.append(_has_right(space, patient, reader, access_right.c.mode == "ACTIVE"))
    return and_(*conditions)


def _has_right(
    space: str, patient: Column[str], reader: Reader, what: ColumnElement[bool]
) -> ColumnElement[bool]:
    """Of the reader on the record of this patient."""
    return (
        select(1)
        .where(
            access_right.c.space == space,
            access_right.c.patient == patient,
            access_right.c.professional == reader.identifier,
            what,
        )
        .correlate(patient.table)
        .exists()
    )


def _record_says(
    space: str, patient: Column[str], what: ColumnElement[bool]
) -> ColumnElement[bool]:
    return (
        select(1)
        .where(record.c.space == space, record.c.patient == patient, what)
        .correlate(patient.table)
        .exists()
    )


def conditions_of(space: str, reader: Reader, query: EntryQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [document.c.space == space, shown_to(space, reader)]
    if query.patient is not None:
        conditions.append(document.c.patient == query.patient)
    conditions += [or_(document.c.logical_id.in_(ids), document.c.id.in_(ids)) for ids in query.ids]
    conditions += [
        or_(
            document.c.unique_id.in_(names),
            document.c.id.in_(uuids_of(names)),
            document.c.logical_id.in_(uuids_of(names)),
        )
        for names in query.identifiers
    ]
    for column, values in (
        (document.c.status, query.statuses),
        (document.c.type_code, query.type_codes),
        (document.c.class_code, query.class_codes),
    ):
        if values:
            conditions.append(column.in_(values))
    for start, end in query.created:
        if start is not None:
            conditions.append(document.c.created_at >= start)
        if end is not None:
            conditions.append(document.c.created_at < end)
    xds = document.c.metadata["xds"]
    for attribute, start, end in query.stamps:
        # Stamps of HL7v2 have an order of their own, as long as they are as precise.
        stamp = xds[attribute].astext
        conditions.append(stamp != "")
        if start is not None:
            conditions.append(stamp >= start.strftime("%Y%m%d%H%M%S"))
        if end is not None:
            conditions.append(stamp < end.strftime("%Y%m%d%H%M%S"))
    for group in query.authors:
        author = func.jsonb_array_elements(xds["authors"]).table_valued("value")
        person = cast(author.c.value, JSONB)["person"].astext
        conditions.append(select(1).where(or_(*(person.ilike(one) for one in group))).exists())
    for references in query.references:
        named = func.jsonb_array_elements_text(xds["reference_ids"]).table_valued("value")
        number = func.split_part(named.c.value, "^", 1)
        conditions.append(select(1).where(number.in_(references)).exists())
    conditions += [_relates_to(space, names) for names in query.relates_to]
    for attribute, values in query.codes:
        if attribute in _MANY:
            conditions.append(or_(*(xds[attribute].contains([{"code": one}]) for one in values)))
        else:
            conditions.append(xds[attribute]["code"].astext.in_(values))
    if query.latest_only:
        conditions.append(document.c.latest)
    if query.after is not None:
        place = tuple_(document.c[query.order.by], document.c.id)
        conditions.append(place < query.after if query.order.newest_first else place > query.after)
    return conditions


def _relates_to(space: str, names: Sequence[str]) -> ColumnElement[bool]:
    """A relation holds between versions; what it means is the documents."""
    ours, theirs = aliased(document), aliased(document)
    related = (
        select(ours.c.logical_id)
        .join(association, and_(association.c.space == space, association.c.source == ours.c.id))
        .join(theirs, and_(theirs.c.space == space, theirs.c.id == association.c.target))
        .where(
            ours.c.space == space,
            or_(
                theirs.c.unique_id.in_(names),
                theirs.c.logical_id.in_(uuids_of(names)),
                theirs.c.id.in_(uuids_of(names)),
            ),
        )
    )
    return document.c.logical_id.in_(related)


def uuids_of(values: Sequence[str]) -> list[UUID]:
    found = []
    for value in values:
        try:
            found.append(UUID(value.removeprefix("urn:uuid:")))
        except ValueError:
            continue
    return found
