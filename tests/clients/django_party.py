"""A Django site that logs its users in with mozilla-django-oidc, configured as its documentation says.

Run as a script with SETTING in its environment: it plays one visitor, and tells what became of it.
"""

import json
import os
from typing import Any

import django
import httpx
from django.conf import settings
from django.core.management import call_command

SETTING = json.loads(os.environ["SETTING"])
CONNECT = f"{SETTING['issuer']}/protocol/openid-connect"

settings.configure(
    SECRET_KEY="only-for-this-run",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "mozilla_django_oidc",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "mozilla_django_oidc.middleware.SessionRefresh",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    AUTHENTICATION_BACKENDS=[f"{__name__}.ProfessionalBackend"],
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    OIDC_RP_CLIENT_ID=SETTING["clientId"],
    OIDC_RP_CLIENT_SECRET=SETTING["secret"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_RP_SCOPES="openid scope_all",
    OIDC_AUTH_REQUEST_EXTRA_PARAMS={"acr_values": "eidas1", "login_hint": SETTING["person"]},
    OIDC_OP_AUTHORIZATION_ENDPOINT=SETTING["issuer"].partition("/auth/")[0] + "/auth",
    OIDC_OP_TOKEN_ENDPOINT=f"{CONNECT}/token",
    OIDC_OP_USER_ENDPOINT=f"{CONNECT}/userinfo",
    OIDC_OP_JWKS_ENDPOINT=f"{CONNECT}/certs",
    OIDC_USE_PKCE=True,
    OIDC_STORE_ID_TOKEN=True,
    OIDC_RENEW_ID_TOKEN_EXPIRY_SECONDS=0,  # asks again at the next page: prompt=none
    USE_TZ=True,
)
django.setup()

# Django's models and URLs can only be imported once it is set up.
from django.contrib.auth.models import User  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import include, path  # noqa: E402
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class ProfessionalBackend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """PSC has no e-mail address: accounts are matched on SubjectNameID (spec: psc.md §10)."""

    def verify_claims(self, claims: dict[str, Any]) -> bool:
        return "SubjectNameID" in claims

    def filter_users_by_claims(self, claims: dict[str, Any]) -> Any:
        return self.UserModel.objects.filter(username=claims["SubjectNameID"])

    def get_username(self, claims: dict[str, Any]) -> str:
        return str(claims["SubjectNameID"])

    def create_user(self, claims: dict[str, Any]) -> Any:
        return self.UserModel.objects.create_user(
            claims["SubjectNameID"], last_name=claims["family_name"]
        )


def home(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": request.user.get_username()})


urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("", home)]


def visit() -> dict[str, Any]:
    """The site is Django's; the provider's side of the browser is httpx, which keeps its cookies."""
    site = Client(SERVER_NAME="127.0.0.1", SERVER_PORT="8000")
    browser = httpx.Client(trust_env=False, timeout=60)

    def through_provider(location: str) -> int:
        back = browser.get(location).headers["location"]
        status: int = site.get(back.removeprefix("http://127.0.0.1:8000")).status_code
        return status

    told: dict[str, Any] = {}
    told["callback"] = through_provider(site.get("/oidc/authenticate/").headers["location"])
    renewal = site.get("/").headers["location"]
    told["asks_again_silently"] = "prompt=none" in renewal
    told["again"] = through_provider(renewal)
    told["id_token"] = bool(site.session["oidc_id_token"])
    told["users"] = [[user.username, user.last_name] for user in User.objects.all()]
    site.post("/oidc/logout/")
    told["session_after_logout"] = "_auth_user_id" in site.session
    return told


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    print(json.dumps(visit()))  # noqa: T201
