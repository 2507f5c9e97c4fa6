"""Proof keys."""

import pytest

from services.psc.domain.pkce import refusal_of, s256

# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_example_of_the_rfc_passes() -> None:
    assert s256(VERIFIER) == CHALLENGE
    assert refusal_of(CHALLENGE, "S256", VERIFIER) is None


def test_plain_compares_as_is() -> None:
    assert refusal_of(VERIFIER, "plain", VERIFIER) is None
    assert refusal_of(CHALLENGE, "plain", VERIFIER) is not None


@pytest.mark.parametrize(
    ("challenge", "verifier", "description"),
    [
        (CHALLENGE, None, "PKCE code verifier not specified"),
        (CHALLENGE, "a" * 43, "PKCE verification failed: Code mismatch"),
        (CHALLENGE, "a" * 42, "PKCE verification failed: Invalid code verifier"),
        (CHALLENGE, "a" * 129, "PKCE verification failed: Invalid code verifier"),
        (CHALLENGE, VERIFIER[:-1] + "é", "PKCE verification failed: Invalid code verifier"),
        (
            "",
            VERIFIER,
            "PKCE code verifier specified but challenge not present in authorization",
        ),
    ],
)
def test_refused_with_keycloaks_words_when_wrong(
    challenge: str, verifier: str | None, description: str
) -> None:
    refusal = refusal_of(challenge, "S256", verifier)
    assert refusal is not None
    assert (refusal.code, refusal.detail) == ("invalid_grant", description)


def test_nothing_is_asked_when_there_was_no_challenge() -> None:
    assert refusal_of("", "", None) is None
