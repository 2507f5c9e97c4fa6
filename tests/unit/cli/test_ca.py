"""`socle ca`, as a vendor types it."""

from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from socle.cli.app import app


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SOCLE_HOME", str(tmp_path))
    return CliRunner()


def test_client_certificate_names_the_structure(run: CliRunner) -> None:
    result = run.invoke(app, ["ca", "client", "lps.example", "--unit", "318751275100020"])
    assert result.exit_code == 0, result.output
    said = dict(line.split(maxsplit=1) for line in result.output.splitlines())
    assert said["subject"] == "CN=lps.example,OU=318751275100020,O=Socle sandbox,C=FR"
    certificate = x509.load_pem_x509_certificate(Path(said["certificate"]).read_bytes())
    assert certificate.subject.rfc4514_string() == said["subject"]
    assert Path(said["key"]).stat().st_mode & 0o077 == 0


def test_root_is_the_one_that_issued_it(run: CliRunner) -> None:
    issued = run.invoke(app, ["ca", "client", "lps.example"]).output.splitlines()[0].split()[1]
    root = run.invoke(app, ["ca", "root"]).output.strip()
    authority = x509.load_pem_x509_certificate(Path(root).read_bytes())
    x509.load_pem_x509_certificate(Path(issued).read_bytes()).verify_directly_issued_by(authority)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_name_that_no_certificate_can_carry_is_refused(run: CliRunner, name: str) -> None:
    result = run.invoke(app, ["ca", "client", name])
    assert result.exit_code == 2
    assert "1 to 64" in result.output
