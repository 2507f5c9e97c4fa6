"""`socle ca`: the sandbox's certificate authority, and certificates for those who test with it."""

from typing import Annotated

import typer

from socle.settings import Settings

MAX_LENGTH = 64
"""Of a name in a certificate (RFC 5280, appendix A)."""

app = typer.Typer(
    help="The sandbox's certificate authority, in SOCLE_HOME. It is worth nothing elsewhere.",
    no_args_is_help=True,
)


@app.command()
def root() -> None:
    """Prints the path of the root certificate, which clients have to trust."""
    from socle.pki import SandboxCa

    typer.echo(SandboxCa.open(Settings().home / "ca").root.resolve())


@app.command()
def client(
    name: Annotated[str, typer.Argument(help="the common name, for instance lps.example")],
    unit: Annotated[
        str | None,
        typer.Option(help="the organisational unit: a structure's identifier (prefix and SIRET)"),
    ] = None,
) -> None:
    """Issues a client certificate, or finds the one that it has issued; prints its files."""
    from cryptography import x509

    from socle.pki import SandboxCa

    for value in (name, unit):
        if value is not None and not 1 <= len(value) <= MAX_LENGTH:
            raise typer.BadParameter(f"a name has 1 to {MAX_LENGTH} characters")
    issued = SandboxCa.open(Settings().home / "ca").client(name, unit)
    subject = x509.load_pem_x509_certificate(issued.certificate.read_bytes()).subject
    typer.echo(f"certificate  {issued.certificate.resolve()}")
    typer.echo(f"key          {issued.key.resolve()}")
    typer.echo(f"subject      {subject.rfc4514_string()}")
