"""Parameters of ITI-67: dates on the Paris calendar, tokens, pages."""

from datetime import UTC, datetime

import pytest

from services.dmp.fhir.search import DEFAULT_COUNT, MAX_COUNT, Search, cursor, read_search
from socle.idgen import uuid7
from socle.ids.ins import NIR_TEST, Ins

INS = Ins(NIR_TEST, "2790351215189")
WHOSE = ("patient.identifier", f"urn:oid:{INS.oid}|{INS.with_key}")


def read(*parameters: tuple[str, str]) -> Search:
    return read_search([WHOSE, *parameters], lambda ins: f"pseudonym of {ins.oid}")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestDates:
    @pytest.mark.parametrize(
        ("value", "start", "end"),
        [
            # Winter: Paris is an hour ahead, so its day begins on the eve at 23:00 UTC.
            ("2022-01-15", "2022-01-14T23:00", "2022-01-15T23:00"),
            ("2022-07-15", "2022-07-14T22:00", "2022-07-15T22:00"),
            ("2022-03", "2022-02-28T23:00", "2022-03-31T22:00"),
            ("2022-12", "2022-11-30T23:00", "2022-12-31T23:00"),
            ("2022", "2021-12-31T23:00", "2022-12-31T23:00"),
            ("2024-02-29", "2024-02-28T23:00", "2024-02-29T23:00"),
            # The days on which the clocks change have 23 and 25 hours.
            ("2022-03-27", "2022-03-26T23:00", "2022-03-27T22:00"),
            ("2022-10-30", "2022-10-29T22:00", "2022-10-30T23:00"),
        ],
    )
    def test_covers_the_whole_day_month_or_year_of_paris_when_no_time_is_given(
        self, value: str, start: str, end: str
    ) -> None:
        assert read(("date", value)).query.created == ((utc(start), utc(end)),)

    @pytest.mark.parametrize(
        ("value", "start"),
        [
            ("2022-03-15T09:00:00+01:00", "2022-03-15T08:00"),
            ("2022-03-15T08:00:00Z", "2022-03-15T08:00"),
            ("2022-03-15T09:00:00", "2022-03-15T08:00"),
            ("2022-07-15T09:00:00", "2022-07-15T07:00"),
        ],
    )
    def test_covers_a_second_when_a_time_is_given(self, value: str, start: str) -> None:
        ((begin, end),) = read(("date", value)).query.created
        assert begin == utc(start)
        assert begin is not None
        assert end is not None
        assert (end - begin).total_seconds() == 1

    @pytest.mark.parametrize(
        ("value", "start", "end"),
        [
            ("eq2022-01-15", "2022-01-14T23:00", "2022-01-15T23:00"),
            ("ge2022-01-15", "2022-01-14T23:00", None),
            ("gt2022-01-15", "2022-01-15T23:00", None),
            ("le2022-01-15", None, "2022-01-15T23:00"),
            ("lt2022-01-15", None, "2022-01-14T23:00"),
        ],
    )
    def test_bounds_one_side_when_a_prefix_says_so(
        self, value: str, start: str | None, end: str | None
    ) -> None:
        expected = (start and utc(start), end and utc(end))
        assert read(("date", value)).query.created == (expected,)

    @pytest.mark.parametrize(
        "value",
        [
            "", "2022-3-1", "2022-13", "2022-02-30", "20220315", "ne2022", "2022-03-15T", "x",
            "2022-03-15T25:00:00Z", "2022-03-15T08:00:00+01", "0000", "0001", "9999-12-31", "9999",
            "9999-12-31T23:59:59Z", "٢٠٢٢",
        ],
    )  # fmt: skip
    def test_is_a_problem_when_it_is_no_date_that_the_registry_can_hold(self, value: str) -> None:
        (problem,) = read(("date", value)).problems
        assert (problem.rule, problem.path) == ("MHD-SEARCH-DATE", "DocumentReference?date")


class TestTokens:
    @pytest.mark.parametrize(
        ("value", "codes"),
        [
            ("11502-2", ("11502-2",)),
            ("http://loinc.org|11502-2", ("11502-2",)),
            ("|11502-2", ("11502-2",)),
            ("http://loinc.org|11502-2,SYNTH", ("11502-2", "SYNTH")),
        ],
    )
    def test_reads_codes_with_and_without_their_system(
        self, value: str, codes: tuple[str, ...]
    ) -> None:
        assert read(("type", value)).query.type_codes == codes
        assert read(("category", value)).query.class_codes == codes

    def test_translates_statuses_to_those_of_xds(self) -> None:
        found = read(("status", "current,superseded")).query.statuses
        assert found == ("Approved", "Archived", "Deprecated")

    @pytest.mark.parametrize(
        ("value", "unique_id"),
        [
            ("urn:oid:2.25.1", "2.25.1"),
            ("urn:ietf:rfc:3986|urn:oid:2.25.1", "2.25.1"),
            ("urn:ietf:rfc:3986|urn:oid:2.25.1^7", "2.25.1^7"),
            ("urn:oid:2.25.1|7", "2.25.1^7"),
        ],
    )
    def test_reads_an_identifier_in_each_form_of_producers(
        self, value: str, unique_id: str
    ) -> None:
        assert read(("identifier", value)).query.identifiers == ((unique_id,),)

    def test_names_the_patient_by_pseudonym_only(self) -> None:
        query = read().query
        assert query.patient == f"pseudonym of {INS.oid}"
        assert INS.matricule not in repr(query)


class TestPages:
    def test_has_a_size_when_none_is_asked_for(self) -> None:
        assert read().count == DEFAULT_COUNT

    def test_is_no_larger_than_the_maximum(self) -> None:
        assert read(("_count", "100000")).count == MAX_COUNT

    @pytest.mark.parametrize("value", ["00", "-1", "", "1.5", "²", "٣", "9" * 5000])
    def test_is_a_problem_when_its_size_is_no_positive_number(self, value: str) -> None:
        assert [p.rule for p in read(("_count", value)).problems] == ["MHD-SEARCH-COUNT"]

    def test_goes_on_where_the_cursor_says(self) -> None:
        place = (utc("2022-03-15T08:00:00.123456"), uuid7())
        assert read(("_cursor", cursor(*place))).query.after == place

    @pytest.mark.parametrize("value", ["", "x", "é", "bm90IG91cnM=", "MDAwMS0wMS0wMXx4"])
    def test_is_a_problem_when_the_cursor_is_not_ours(self, value: str) -> None:
        assert [p.rule for p in read(("_cursor", value)).problems] == ["MHD-SEARCH-CURSOR"]


def test_ignores_and_names_what_it_does_not_know() -> None:
    found = read(("colour", "SA25"), ("_format", "json"), ("colour:not", "1"))
    assert (found.ignored, found.problems) == (["colour", "colour:not"], [])
