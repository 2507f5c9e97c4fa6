"""The address of a next page holds the whole search."""

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mss.annuaire.domain.pages import page_id, read_page_id
from services.mss.annuaire.domain.results import page_token, read_page_token

SEARCH = [("family", "D’ÉTÉ,x"), ("family", "y"), ("_count", "2")]


def packed(value: object) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(value).encode())).decode()


def test_gives_the_search_back_with_where_it_goes_on() -> None:
    before = [*SEARCH, ("_page_token", "old")]
    found = read_page_id(page_id("Practitioner", before, "new"))
    assert found == ("Practitioner", [*SEARCH, ("_page_token", "new")])
    for place in (("003-1-2",), ("D’ÉTÉ", "003-1-2"), ("\U0010ffff", "", "003-1-2")):
        assert read_page_token(page_token(place)) == place


@pytest.mark.parametrize(
    "id_",
    [
        packed(1), packed("x"), packed([]), packed([1]), packed({"a": 1}), packed(["D", ["a"]]),
        packed(["D", ["a", 1]]), packed(["D", "ab", 5]), packed([["a", "b"]]), "é", "=", "A" * 100_000,
        base64.urlsafe_b64encode(zlib.compress(b"[" * 3_000_000)).decode(),
    ],
)  # fmt: skip
def test_tells_what_is_no_id(id_: str) -> None:
    assert read_page_id(id_) is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_page_id(text)
    read_page_token(text)
