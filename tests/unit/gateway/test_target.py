import pytest

from gateway.target import target_of


class TestTarget:
    @pytest.mark.parametrize(
        ("raw", "query", "expected"),
        [
            (b"/s/acme/auth", b"", "/s/acme/auth"),
            (b"/a%2fb", b"x=%zz&y=+", "/a%2fb?x=%zz&y=+"),
            (b"/a", b"q=\xc3\xa9", "/a?q=%C3%A9"),
        ],
    )
    def test_is_what_the_client_wrote(self, raw: bytes, query: bytes, expected: str) -> None:
        scope = {"state": {"raw_target": raw}, "query_string": query}
        assert target_of(scope) == expected
