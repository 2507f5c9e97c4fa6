"""Addresses of the usual form are read as the parser of the email package reads them."""

from email._header_value_parser import get_angle_addr

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given
from hypothesis import strategies as st

from services.mss.smtp.parameters import USUAL, DeliveryParameters


def is_usual(argument: str) -> bool:
    return USUAL.fullmatch(argument) is not None


WORD = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,8}", fullmatch=True)
LABEL = st.from_regex(r"[A-Za-z0-9-]{1,8}", fullmatch=True)


@given(st.lists(WORD, min_size=1, max_size=3), st.lists(LABEL, min_size=1, max_size=4))
def test_is_the_same_address(words: list[str], labels: list[str]) -> None:
    address = f"{'.'.join(words)}@{'.'.join(labels)}"
    assert is_usual(f"<{address}> SIZE=12")
    assert get_angle_addr(f"<{address}> SIZE=12")[0].addr_spec == address


@pytest.mark.parametrize(
    "argument",
    [
        "<>",
        "a@b",
        "<a@b",
        '<"a b"@c>',
        "<@r:a@b>",
        "<a.@b>",
        "<a..b@c>",
        "<a@b> (hi)",
        "<a@[1.2.3.4]>",
    ],
)
def test_leaves_the_rest_to_the_parser(argument: str) -> None:
    assert not is_usual(argument)


def test_both_give_what_follows() -> None:
    server = object.__new__(DeliveryParameters)
    server.local_part_limit = 0
    slow = SMTP._getaddr(server, "<a.b@c.d>  BODY=8BITMIME  SIZE=12 ")
    assert slow[0] == "a.b@c.d"
    assert server._getaddr("<a.b@c.d>  BODY=8BITMIME  SIZE=12 ") == (
        "a.b@c.d",
        "BODY=8BITMIME SIZE=12",
    )
    assert (slow[1] or "").split() == ["BODY=8BITMIME", "SIZE=12"]
