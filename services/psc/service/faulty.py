"""Tokens and documents made wrong on purpose (socle/faults.py names the effects)."""

import base64
from dataclasses import dataclass, replace
from typing import Any, Final

from services.psc.domain.client import SigningAlg
from services.psc.service.inspection import UserInfo
from services.psc.signing import Signer
from socle.faults import Effect, FaultRule
from socle.http.faults import RequestFaults
from socle.idgen import secret_token

_OF_TOKENS: Final[tuple[Effect, ...]] = (
    "wrong_nonce", "drop_acr", "acr", "clock_skew", "unknown_kid", "bad_signature",
)  # fmt: skip
_INSTANTS: Final = ("exp", "iat", "auth_time")


@dataclass(frozen=True, slots=True)
class TokenFaults:
    """What strikes one pair of tokens: found once, so that both err in the same way."""

    rules: dict[Effect, FaultRule]

    @classmethod
    def of(cls, faults: RequestFaults, person: str) -> "TokenFaults":
        found = {name: faults.effect(name, person) for name in _OF_TOKENS}
        return cls({name: rule for name, rule in found.items() if rule is not None})

    def distort(self, claims: dict[str, Any]) -> dict[str, Any]:
        if not self.rules:
            return claims
        distorted = dict(claims)
        if "wrong_nonce" in self.rules:
            distorted["nonce"] = secret_token()
        if "drop_acr" in self.rules:
            distorted.pop("acr", None)
        if (rule := self.rules.get("acr")) is not None:
            distorted["acr"] = rule.value
        if (rule := self.rules.get("clock_skew")) is not None:
            for name in _INSTANTS:
                distorted[name] += int(rule.value or 0)
        return distorted

    def sign(self, signer: Signer, claims: dict[str, Any], alg: SigningAlg) -> str:
        kid = secret_token() if "unknown_kid" in self.rules else None
        token = signer.sign(claims, alg, kid=kid)
        return _spoilt(token) if "bad_signature" in self.rules else token


def distorted(signer: Signer, faults: RequestFaults, answer: UserInfo) -> UserInfo:
    """Userinfo without its situations, or as a JWT that nobody had asked for."""
    alg = answer.client.userinfo_signed_response_alg
    document = answer.document
    if faults.effect("no_subject_ref_pro", answer.person):
        document = {name: value for name, value in document.items() if name != "SubjectRefPro"}
    if faults.effect("userinfo_jwt", answer.person):
        alg = alg or "RS256"
    signed = None if alg is None else signer.sign({**document, "aud": answer.client.client_id}, alg)
    return replace(answer, document=document, signed=signed)


def _spoilt(token: str) -> str:
    signed, _, signature = token.rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[0] ^= 1
    return f"{signed}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"
