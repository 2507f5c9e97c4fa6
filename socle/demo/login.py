"""Pro Santé Connect: authorization code with PKCE, as a thick client does it."""

import base64
import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from socle.demo.errors import DemoError, expect
from socle.idgen import secret_token

CLIENT_ID = "socle-demo"
CLIENT_SECRET = "socle-demo-secret"  # noqa: S105 (the published secret of the sandbox's own client)
REDIRECT_URI = "http://127.0.0.1:8765/callback"
DISCOVERY = "/auth/realms/esante-wallet/.well-known/wallet-openid-configuration"


@dataclass(frozen=True)
class Session:
    access_token: str
    expires_in: int
    userinfo: dict[str, object]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


def log_in(http: httpx.Client, prefix: str, national_id: str) -> Session:
    """`prefix` is /s/<space>. The sandbox approves the e-CPS request of a known login_hint at once."""
    provider = expect(http.get(f"{prefix}{DISCOVERY}"), 200).json()
    verifier, state = secret_token(), secret_token(16)
    code = _authorize(http, provider["authorization_endpoint"], verifier, state, national_id)
    tokens = expect(
        http.post(
            provider["token_endpoint"],
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": REDIRECT_URI,
                "code_verifier": verifier,
            },
            auth=(CLIENT_ID, CLIENT_SECRET),
        ),
        200,
    ).json()
    session = Session(tokens["access_token"], tokens["expires_in"], {})
    userinfo = expect(http.get(provider["userinfo_endpoint"], headers=session.headers), 200)
    return Session(session.access_token, session.expires_in, userinfo.json())


def _authorize(
    http: httpx.Client, endpoint: str, verifier: str, state: str, national_id: str
) -> str:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "scope": "openid scope_all",
        "acr_values": "eidas1",
        "state": state,
        "nonce": secret_token(16),
        "code_challenge": challenge.decode().rstrip("="),
        "code_challenge_method": "S256",
        "login_hint": national_id,
    }
    answer = expect(http.get(f"{endpoint}?{urlencode(query)}"), 302, 303)
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    if back.get("state") != [state] or "code" not in back:
        raise DemoError(f"Pro Santé Connect sent back {', '.join(back)} instead of code and state.")
    return back["code"][0]
