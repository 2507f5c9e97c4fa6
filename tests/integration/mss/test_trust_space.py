"""The whitelist, its signature, and what the control plane does to operators and certificates."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from lxml import etree

from .conftest import Mail
from .tools import run, tool

pytestmark = pytest.mark.postgres

NS = {"l": "https://listeblanche.mssante.fr/schema", "d": "http://www.w3.org/2000/09/xmldsig#"}
CHILDREN = [
    "Nom", "Description", "DNCertificatOperateur", "ResponsableContact", "SupportContact", "DateMAJ",
]  # fmt: skip


async def call(mail: Mail, method: str, path: str, status: int, **arguments: Any) -> Any:
    answer = await mail.http.request(method, f"/s/{mail.space}{path}", **arguments)
    assert answer.status_code == status, answer.text
    return answer


async def whitelist(mail: Mail) -> bytes:
    content: bytes = (await call(mail, "GET", "/mss/listeblanchemssante.xml", 200)).content
    return content


def xpath(content: bytes, path: str) -> list[Any]:
    found: Any = etree.fromstring(content).xpath(path, namespaces=NS)
    return list(found)


class TestWhitelist:
    async def test_has_the_published_shape(self, mail: Mail) -> None:
        content = await whitelist(mail)
        root = etree.fromstring(content)
        assert [etree.QName(child).localname for child in root] == [
            "DateDeGeneration",
            "ListeDomaines",
            "Signature",
        ]
        domains = xpath(content, "//l:Domaine")
        assert domains
        for domain in domains:
            assert [etree.QName(child).localname for child in domain] == CHILDREN
        dns = xpath(
            content, "//l:Domaine[l:Nom='patient.mssante.fr']/l:DNCertificatOperateur/text()"
        )
        assert len(dns) == 2
        assert dns[0].startswith("CN=smtps1.patient.mssante.fr,OU=3")
        assert dns[0].endswith(",ST=Paris (75),C=FR")

    async def test_is_signed_as_published(self, mail: Mail) -> None:
        content = await whitelist(mail)
        algorithms = "//d:SignedInfo/d:{}/@Algorithm"
        assert xpath(content, algorithms.format("CanonicalizationMethod")) == [
            "http://www.w3.org/2001/10/xml-exc-c14n#"
        ]
        assert xpath(content, algorithms.format("SignatureMethod")) == [
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
        ]
        assert xpath(content, "//d:Reference/@URI") == [""]
        assert len(xpath(content, "//d:X509Certificate")) == 1
        assert b"<Signature xmlns=" in content

    async def test_is_verified_by_another_library(self, mail: Mail, tmp_path: Path) -> None:
        xmlsec = tool("xmlsec1")
        root, issuer = tmp_path / "root.pem", tmp_path / "issuer.pem"
        root.write_bytes((await call(mail, "GET", "/_sandbox/mss/ca.pem", 200)).content)
        # The first of the file is read: the issuer.
        issuer.write_bytes((await call(mail, "GET", "/_sandbox/mss/ca-chain.pem", 200)).content)
        signed, forged = tmp_path / "list.xml", tmp_path / "forged.xml"
        signed.write_bytes(await whitelist(mail))
        forged.write_bytes(signed.read_bytes().replace(b"voisin.mssante.fr", b"faux00.mssante.fr"))

        def verify(file: Path) -> int:
            trust = ["--trusted-pem", str(root), "--untrusted-pem", str(issuer)]
            return run([xmlsec, "--verify", *trust, str(file)]).returncode

        assert await mail.run(lambda: verify(signed)) == 0
        assert await mail.run(lambda: verify(forged)) != 0

    async def test_is_the_same_until_an_entry_changes(self, mail: Mail) -> None:
        first = await call(mail, "GET", "/listeblanchemssante.xml", 200)
        again = {"If-None-Match": first.headers["ETag"]}
        await call(mail, "GET", "/listeblanchemssante.xml", 304, headers=again)
        body = {
            "domain": "voisin.mssante.fr",
            "operator": "voisin",
            "dn": "CN=smtp3.voisin.fr,C=FR",
        }
        await call(mail, "POST", "/_sandbox/mss/trust/domains", 201, json=body)
        second = await call(mail, "GET", "/listeblanchemssante.xml", 200, headers=again)
        entries = "//l:Domaine[l:Nom='voisin.mssante.fr']"
        assert len(xpath(first.content, entries)) == 2
        assert len(xpath(second.content, entries)) == 3
        await call(mail, "DELETE", "/_sandbox/mss/trust/domains/voisin.mssante.fr", 204)
        assert not xpath(await whitelist(mail), entries)

    async def test_is_of_one_space(self, mail: Mail) -> None:
        body = {"domain": "ici.mssante.fr", "operator": "voisin"}
        await call(mail, "POST", "/_sandbox/mss/trust/domains", 201, json=body)
        other = await mail.http.get(f"/s/{mail.space}-b/listeblanchemssante.xml")
        assert not xpath(other.content, "//l:Domaine[l:Nom='ici.mssante.fr']")


class TestControl:
    async def test_makes_an_operator_with_its_domain(self, mail: Mail) -> None:
        operator = {
            "name": "clinique",
            "title": "Clinique du Test",
            "host": "smtp.clinique.test",
            "structure": "318003502400041",
            "department": "Haute-Garonne (31)",
        }
        made = (
            await call(mail, "POST", "/_sandbox/mss/trust/operators", 201, json=operator)
        ).json()
        dn = (
            "CN=smtp.clinique.test,OU=318003502400041,O=Clinique du Test,ST=Haute-Garonne (31),C=FR"
        )
        assert made["dn"] == dn
        await call(mail, "POST", "/_sandbox/mss/trust/operators", 409, json=operator)
        body = {"domain": "clinique.mssante.fr", "operator": "clinique"}
        listed = (await call(mail, "POST", "/_sandbox/mss/trust/domains", 201, json=body)).json()
        assert listed["dn"] == dn
        await call(mail, "POST", "/_sandbox/mss/trust/domains", 409, json=body)

    async def test_says_every_problem_at_once(self, mail: Mail) -> None:
        body = {
            "name": "A b",
            "title": "x\u200b",
            "host": "no host",
            "structure": "12",
        }
        answer = await call(mail, "POST", "/_sandbox/mss/trust/operators", 422, json=body)
        rules = {problem["rule"] for problem in answer.json()["problems"]}
        assert rules == {"TRUST-NAME", "TRUST-TEXT", "TRUST-HOST", "TRUST-STRUCTURE"}
        body = {"domain": "evil.example", "operator": "voisin", "dn": "no dn"}
        answer = await call(mail, "POST", "/_sandbox/mss/trust/domains", 422, json=body)
        rules = {problem["rule"] for problem in answer.json()["problems"]}
        assert rules == {"TRUST-NAME", "TRUST-DN"}

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/trust/operators", {"name": "a\0", "title": "x", "host": "x"}),
            ("POST", "/trust/domains", {"domain": "x.mssante.fr", "operator": "\0"}),
            ("POST", "/trust/domains", {"domain": "x.mssante.fr", "operator": "x", "dn": "\0"}),
            ("DELETE", "/trust/domains/%00", None),
            ("DELETE", "/trust/domains/x?dn=%00", None),
            ("PUT", "/trust/operators/%00/answer", {"answer": None}),
            ("POST", "/trust/operators/%00/certificates", {}),
            ("POST", "/mailboxes/%00/certificates", {}),
            ("POST", "/mailboxes/x/certificates", {"pem": "\0"}),
            ("PATCH", "/mailboxes/%00", {"active": False}),
            ("PATCH", "/mailboxes/x", {"quota_bytes": 2**70}),
            ("PUT", "/trust/rules", {"\0": "off"}),
        ],
    )
    async def test_refuses_what_no_table_can_hold(
        self, mail: Mail, method: str, path: str, body: Any
    ) -> None:
        answer = await mail.http.request(method, f"/s/{mail.space}/_sandbox/mss{path}", json=body)
        assert 400 <= answer.status_code < 500, answer.text

    async def test_takes_no_domain_from_another_operator(self, mail: Mail) -> None:
        body = {"domain": "voisin.mssante.fr", "operator": "socle"}
        await call(mail, "POST", "/_sandbox/mss/trust/domains", 422, json=body)

    async def test_changes_rules_that_exist(self, mail: Mail) -> None:
        rules = "/_sandbox/mss/trust/rules"
        await call(mail, "PUT", rules, 200, json={"TRUST-DN": "warn"})
        modes = {
            name: rule["mode"]
            for name, rule in (await call(mail, "GET", rules, 200)).json().items()
        }
        assert modes.pop("TRUST-DN") == "warn"
        assert modes.pop("TRUST-RECEIVER") == "off"  # no text is known that wants it
        assert set(modes.values()) == {"enforce"}
        await call(mail, "PUT", rules, 422, json={"TRUST-NOTHING": "off"})


class TestCertificates:
    async def issue(self, mail: Mail, **body: Any) -> Any:
        path = "/_sandbox/mss/trust/operators/voisin/certificates"
        return (await call(mail, "POST", path, 201, json=body)).json()

    async def test_are_what_the_whitelist_lists(self, mail: Mail) -> None:
        made = await self.issue(mail)
        assert made["dn"] in xpath(await whitelist(mail), "//l:DNCertificatOperateur/text()")

    async def test_come_as_a_key_store_and_as_pem(self, mail: Mail, tmp_path: Path) -> None:
        made = await self.issue(mail)
        path = made["files"]["p12"]
        store = (await mail.http.get(f"{path}?password=secret")).content
        key, certificate, chain = pkcs12.load_key_and_certificates(store, b"secret")
        assert key is not None
        assert certificate is not None
        assert len(chain) == 2
        pem = (await mail.http.get(made["files"]["pem"])).content
        assert x509.load_pem_x509_certificates(pem) == [certificate, *chain]

    @pytest.mark.parametrize("validity", ["expired", "not_yet_valid"])
    async def test_are_outside_their_dates_when_asked(
        self, mail: Mail, tmp_path: Path, validity: str
    ) -> None:
        made = await self.issue(mail, validity=validity)
        pem = (await mail.http.get(made["files"]["pem"])).content
        certificate = x509.load_pem_x509_certificates(pem)[0]
        assert certificate.not_valid_before_utc < certificate.not_valid_after_utc
        openssl = tool("openssl")
        result = await asyncio.to_thread(self.verify, openssl, mail, tmp_path, pem)
        assert validity.replace("_", " ") in result.replace("has expired", "expired")

    def verify(self, openssl: str, mail: Mail, folder: Path, pem: bytes, *options: str) -> str:
        leaf, chain = folder / "leaf.pem", folder / "chain.pem"
        leaf.write_bytes(pem)
        chain.write_bytes(mail.app.state.authority.ca.chain_pem)
        done = run([openssl, "verify", "-CAfile", str(chain), *options, str(leaf)])
        return done.stdout + done.stderr

    async def test_are_in_the_revocation_list_once_revoked(
        self, mail: Mail, tmp_path: Path
    ) -> None:
        good, bad = await self.issue(mail), await self.issue(mail)
        path = f"/_sandbox/mss/trust/certificates/{bad['id']}/revoke"
        assert (await call(mail, "POST", path, 200)).json()["revoked_at"]
        crl = (await call(mail, "GET", "/CRL/ACI-EL-ORG.crl", 200)).content
        file = tmp_path / "list.crl"
        file.write_bytes(crl)
        options = ("-crl_check", "-CRLfile", str(file))
        openssl = tool("openssl")
        for made, expected in ((good, ": OK"), (bad, "certificate revoked")):
            pem = (await mail.http.get(made["files"]["pem"])).content
            said = await asyncio.to_thread(self.verify, openssl, mail, tmp_path, pem, *options)
            assert expected in said
        (point,) = (
            x509.load_pem_x509_certificates(pem)[0]
            .extensions.get_extension_for_class(x509.CRLDistributionPoints)
            .value
        )
        assert point.full_name is not None
        assert str(point.full_name[0].value).endswith(f"/s/{mail.space}/CRL/ACI-EL-ORG.crl")

    async def test_are_unknown_in_another_space(self, mail: Mail) -> None:
        made = await self.issue(mail)
        for path in (f"{made['id']}.pem", f"{made['id']}.key"):
            answer = await mail.http.get(
                f"/s/{mail.space}-b/_sandbox/mss/trust/certificates/{path}"
            )
            assert answer.status_code == 404
