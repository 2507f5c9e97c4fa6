"""Refusals in OAuth's terms. Texts are Keycloak's where they are known (spec: psc.md §9)."""

from collections.abc import Mapping

from socle.errors import Category, DomainError
from socle.problems import Problem

_CATEGORY_OF_STATUS = {
    400: Category.INCORRECT,
    401: Category.UNAUTHENTICATED,
    403: Category.FORBIDDEN,
}


class OAuthError(DomainError):
    """`error` and `error_description` as the real service writes them; `hint` is Socle's own.

    The hint travels beside the description, never inside it, because clients and their tests
    compare the description with the text that they know.
    """

    def __init__(
        self,
        error: str,
        description: str,
        hint: str = "",
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        problems = [Problem(f"OAUTH-{error}", "/", description, hint)] if hint else []
        super().__init__(
            _CATEGORY_OF_STATUS[status],
            error,
            description,
            problems=problems,
            headers=headers,
            status=status,
        )
        self.hint = hint


class PageError(OAuthError):
    """Shown to the person: redirecting would trust an address that nobody registered.

    The hint is French and says what to do; the description is Keycloak's text, to search for.
    """

    def __init__(self, error: str, description: str, hint: str) -> None:
        super().__init__(error, description, hint)


class ChoiceError(PageError):
    """The login page stays open: it is shown again, with the hint above it."""


class RedirectError(OAuthError):
    """Sent back to the client's own redirect URI (RFC 6749 §4.1.2.1)."""

    def __init__(self, error: str, description: str, hint: str = "") -> None:
        super().__init__(error, description, hint)


def invalid_grant(description: str, hint: str = "") -> OAuthError:
    return OAuthError("invalid_grant", description, hint)


def invalid_token(description: str, hint: str = "") -> OAuthError:
    """RFC 6750 §3.1, with its challenge."""
    challenge = (
        f'Bearer realm="esante-wallet", error="invalid_token", error_description="{description}"'
    )
    return OAuthError(
        "invalid_token", description, hint, status=401, headers={"WWW-Authenticate": challenge}
    )
