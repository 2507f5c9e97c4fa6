from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.ids.hl7_datetime import format_ts, parse_hl7_datetime, parse_ts

_ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


class TestParse:
    @pytest.mark.parametrize(
        ("text", "precision", "utc"),
        [
            ("20210104160527+0100", "second", datetime(2021, 1, 4, 15, 5, 27, tzinfo=UTC)),
            ("20210329094914-0100", "second", datetime(2021, 3, 29, 10, 49, 14, tzinfo=UTC)),
            ("202101040735+0100", "minute", datetime(2021, 1, 4, 6, 35, tzinfo=UTC)),
            ("2021010407", "hour", datetime(2021, 1, 4, 6, tzinfo=UTC)),
            ("20210704", "day", datetime(2021, 7, 3, 22, tzinfo=UTC)),
            ("202107", "month", datetime(2021, 6, 30, 22, tzinfo=UTC)),
            ("2021", "year", datetime(2020, 12, 31, 23, tzinfo=UTC)),
        ],
    )
    def test_gives_instant_and_precision_when_the_stamp_is_right(
        self, text: str, precision: str, utc: datetime
    ) -> None:
        stamp = parse_ts(text)
        assert stamp.utc == utc
        assert stamp.precision == precision

    def test_reads_paris_time_when_the_zone_is_missing(self) -> None:
        assert parse_hl7_datetime("20210704120000").utcoffset() == timedelta(hours=2)
        assert parse_hl7_datetime("20210104120000").utcoffset() == timedelta(hours=1)
        assert not parse_ts("20210704120000").has_zone

    def test_keeps_the_fraction_when_seconds_have_one(self) -> None:
        assert parse_hl7_datetime("20210704120000.25+0000").microsecond == 250_000

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "21",
            "20211301",
            "20210230",
            "20210104250000",
            "20210803113623+100",
            "20210104160527+2500",
            "20210104160527Z",
            "2021-01-04",
            "202101041605.5",
            "２０２１",
            "00000101",
            "00010101000000+0100",
            "20210104160527+0100\n",
        ],
    )
    def test_refuses_with_the_text_when_it_is_no_stamp(self, text: str) -> None:
        with pytest.raises(ValueError, match="«"):
            parse_ts(text)


class TestWrite:
    @given(st.datetimes(datetime(1900, 1, 2), datetime(2200, 1, 1), timezones=_ZONES))  # noqa: DTZ001
    def test_is_read_back_to_the_second_when_it_was_written(self, instant: datetime) -> None:
        assert parse_hl7_datetime(format_ts(instant)) == instant.replace(microsecond=0)

    def test_refuses_when_the_instant_has_no_zone(self) -> None:
        with pytest.raises(ValueError, match="zone"):
            format_ts(datetime(2021, 1, 4))  # noqa: DTZ001

    def test_is_utc_when_xds_wants_an_instant_but_never_moves_a_day(self) -> None:
        assert parse_ts("20210104003000+0100").xds == "20210103233000"
        assert parse_ts("20210104").xds == "20210104"
        assert parse_ts("202101").xds == "202101"
