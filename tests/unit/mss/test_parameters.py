"""Parameters of MIME fields: RFC 2045's plain ones, RFC 2231's encoded and continued ones."""

import pytest

from services.mss.domain.parameters import MAX_PARAMETERS, parameter, read_parameters


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("attachment; filename=a.pdf", "a.pdf"),
        ('attachment; filename="a; b=\\"c\\".pdf"; size=3', 'a; b="c".pdf'),
        ("attachment;\r\n\tFileName = a.pdf ; x", "a.pdf"),
        ("attachment; filename*=utf-8'fr'r%C3%A9sum%C3%A9.pdf", "résumé.pdf"),
        ("attachment; filename*=ISO-8859-1''%E9t%E9", "été"),
        ("attachment; filename=resume.pdf; filename*=utf-8''r%C3%A9sum%C3%A9.pdf", "résumé.pdf"),
        ("attachment; filename*0=\"un \"; filename*1=deux", "un deux"),
        ("attachment; filename*1=deux; filename*0*=utf-8''%C3%A9-; filename*2=50%", "é-deux50%"),
        ("attachment; filename*0=un; filename*2=trois", "un"),
        ("attachment; filename*=x-nobody-knows''%C3%A9", "é"),
        ("attachment; filename*=utf-7''%2b2AA-", "?"),
        ("attachment; filename*=%C3%A9.pdf", "é.pdf"),
        ('attachment; filename="never closed', "never closed"),
        ("attachment; filename", ""),
        ("attachment; ; ;filename=a;;", "a"),
        ("", ""),
    ],
)  # fmt: skip
def test_name_a_file(field: str, name: str) -> None:
    assert parameter(read_parameters(field), "filename") == name


def test_are_a_hundred_at_most() -> None:
    assert len(read_parameters("a/b" + "; c=d" * 10_000)) == MAX_PARAMETERS
    assert read_parameters("a/b" + ";" * 100_000 + " " * 100_000) == []
