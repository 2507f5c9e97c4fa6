"""What `socle up` shows once everything is ready."""

import os
import sys

from rich.console import Console
from rich.table import Table

from socle.settings import Settings


def print_banner(settings: Settings, seconds: float) -> None:
    # A pipe has no width of its own; 80 columns would fold the addresses.
    console = Console() if sys.stdout.isatty() else Console(width=120)
    url = settings.public_url.rstrip("/")
    smtp = os.environ.get("SOCLE_MSS_SMTP_PORT", "1587")
    imap = os.environ.get("SOCLE_MSS_IMAP_PORT", "1143")
    console.print(f"\n[bold green]Socle is ready[/] after {seconds:.1f} s: [link]{url}/[/link]\n")
    addresses = _table("Service", "Address to configure")
    for name, address in (
        ("Pro Santé Connect", f"{url}/auth/realms/esante-wallet/.well-known/openid-configuration"),
        ("INSi", f"{url}/lps"),
        ("DMP (FHIR)", f"{url}/dmp/fhir"),
        ("MSSanté", f"SMTP localhost:{smtp} and IMAP localhost:{imap}, STARTTLS, XOAUTH2"),
        ("Usage", f"{url}/usage/indicators/SU4?structure=1B0064166"),
        (
            "Database",
            (settings.database_url and "SOCLE_DATABASE_URL") or str(settings.home / "postgres"),
        ),
        ("Events", settings.events),
    ):
        addresses.add_row(name, address)
    console.print(addresses)
    people = _table("Test identity", "Identifier", "Role")
    people.add_row("KIT DOC0042788", "899700427885", "physician; logs in with one click")
    people.add_row("ROBERT SPECIALISTE0021889", "899700218896", "specialist; receives the mail")
    people.add_row(
        "socle-demo / socle-demo-secret", "client_id", "OIDC client, any loopback redirect"
    )
    console.print(people)
    console.print("Next, in another shell: [bold]socle demo[/]   (or: make demo)")
    console.print("Stop with Ctrl-C. Data stays in", str(settings.home), "\n")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
