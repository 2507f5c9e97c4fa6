"""Certificates of the sandbox's control plane, as a client of TLS takes them."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .conftest import Mail


@dataclass(frozen=True)
class Held:
    """A certificate with its chain, and its key, in files."""

    id: str
    dn: str
    certificate: Path
    key: Path
    trust: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.trust))
        context.load_cert_chain(self.certificate, self.key)
        return context


async def held(mail: Mail, path: str, folder: Path, **body: Any) -> Held:
    """Asks the control plane at `path` for one, and downloads it into `folder`."""
    answer = await mail.http.post(f"/s/{mail.space}/_sandbox/mss{path}", json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    files = {}
    for form, url in made["files"].items():
        files[form] = folder / f"{made['id']}.{form}"
        files[form].write_bytes((await mail.http.get(url)).content)
    root = folder / "root.pem"
    root.write_bytes((await mail.http.get("/_sandbox/mss/ca.pem")).content)
    return Held(made["id"], made["dn"], files["pem"], files["key"], root)


async def revoke(mail: Mail, certificate: Held) -> None:
    path = f"/s/{mail.space}/_sandbox/mss/trust/certificates/{certificate.id}/revoke"
    assert (await mail.http.post(path)).status_code == 200
