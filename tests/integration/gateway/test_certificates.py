"""The gateway's TLS listener, and what services learn of the certificates that callers present."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509

from socle.http.client_certificate import as_field
from socle.http.tls import server_context
from socle.pki import Credentials, SandboxCa
from socle.testing.serving import tls_listener
from tests.patience import PATIENCE_SECONDS

from .conftest import Running, Service, Start

KEY = "test-gateway-key"


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> SandboxCa:
    return SandboxCa.open(tmp_path_factory.mktemp("ca"))


@asynccontextmanager
async def listening(start: Start, ca: SandboxCa, *authorities: Path) -> AsyncIterator[str]:
    context = server_context(ca, "gateway", [], authorities[0] if authorities else None)
    listener, url = tls_listener(context)
    async with start(tls=listener, gateway_key=KEY):
        yield url


def client(ca: SandboxCa, url: str, credentials: Credentials | None = None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=ca.root)
    if credentials is not None:
        credentials.load_into(context)
    return httpx.AsyncClient(base_url=url, verify=context, timeout=PATIENCE_SECONDS)


class TestTlsListener:
    async def test_certificate_reaches_the_service_with_the_gateways_word(
        self, start: Start, ca: SandboxCa, service: Service
    ) -> None:
        mine = ca.client("lps.example")
        async with listening(start, ca) as url, client(ca, url, mine) as http:
            assert (await http.get("/auth/x")).status_code == 200
            assert (await http.get("/auth/y")).status_code == 200  # on the same connection
        certificate = x509.load_pem_x509_certificate(mine.certificate.read_bytes())
        for seen in service.seen:
            assert seen.all("client-cert") == [as_field(certificate)]
            assert seen.all("x-socle-gateway") == [KEY]
            assert seen.all("x-forwarded-proto") == ["https"]

    async def test_caller_without_one_is_served_and_cannot_pretend(
        self, start: Start, ca: SandboxCa, service: Service
    ) -> None:
        forged = {"Client-Cert": ":Zm9yZ2Vk:", "X-Socle-Gateway": "guess"}
        async with listening(start, ca) as url, client(ca, url) as http:
            assert (await http.get("/auth/x", headers=forged)).status_code == 200
        assert service.seen[0].all("client-cert") == []
        assert service.seen[0].all("x-socle-gateway") == []

    async def test_strangers_certificate_does_not_pass_until_its_authority_is_named(
        self, start: Start, ca: SandboxCa, service: Service, tmp_path: Path
    ) -> None:
        other = SandboxCa.open(tmp_path)
        stranger = other.client("lps.example")
        async with listening(start, ca) as url, client(ca, url, stranger) as http:
            with pytest.raises(httpx.TransportError):
                await http.get("/auth/x")
        assert service.seen == []
        async with listening(start, ca, other.root) as url, client(ca, url, stranger) as http:
            assert (await http.get("/auth/x")).status_code == 200

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")
    async def test_old_protocols_are_refused(self, start: Start, ca: SandboxCa) -> None:
        context = ssl.create_default_context(cafile=ca.root)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        async with (
            listening(start, ca) as url,
            httpx.AsyncClient(base_url=url, verify=context, timeout=PATIENCE_SECONDS) as http,
        ):
            with pytest.raises(httpx.ConnectError):
                await http.get("/auth/x")


class TestTrustedProxy:
    async def test_word_is_passed_on(self, start: Start, ca: SandboxCa, service: Service) -> None:
        pem = ca.client("lps.example").certificate.read_bytes()
        field = as_field(x509.load_pem_x509_certificate(pem))
        async with start(gateway_key=KEY, trusted_proxies="127.0.0.1") as running:
            await running.http.get("/auth/x", headers={"Client-Cert": field})
        assert service.seen[0].all("client-cert") == [field]

    async def test_word_of_others_is_not(self, running: Running, service: Service) -> None:
        await running.http.get("/auth/x", headers={"Client-Cert": ":Zm9yZ2Vk:"})
        assert service.seen[0].all("client-cert") == []

    async def test_nonsense_is_refused(self, start: Start) -> None:
        async with start(gateway_key=KEY, trusted_proxies="127.0.0.1") as running:
            answer = await running.http.get("/auth/x", headers={"Client-Cert": ":x:"})
        assert answer.status_code == 400
