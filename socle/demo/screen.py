"""What the demo shows: each step, each exchange as it happens, and the end."""

from typing import Any

import httpx
from rich.console import Console
from rich.panel import Panel

from socle.clock import monotonic


class Screen:
    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self._step = 0
        self._sent: dict[int, float] = {}

    def title(self, text: str) -> None:
        self.console.print(f"\n[bold]{text}[/]")

    def step(self, service: str, text: str) -> None:
        self._step += 1
        self.console.print(f"\n[bold cyan]{self._step}. {service}[/]  {text}")

    def exchange(self, protocol: str, request: str, answer: str, milliseconds: float) -> None:
        self.console.print(
            f"   [dim]{protocol:<5}[/] {request}\n         [green]→[/] {answer}"
            f" [dim]({milliseconds:.0f} ms)[/]",
            soft_wrap=True,  # an address is copied whole
        )

    def fact(self, name: str, value: Any) -> None:
        self.console.print(f"         [dim]{name}:[/] {value}", soft_wrap=True)

    def end(self, text: str, *, good: bool) -> None:
        self.console.print()
        self.console.print(Panel(text, border_style="green" if good else "yellow", expand=False))

    def http_client(self, base_url: str) -> httpx.Client:
        """A client whose every exchange is shown."""

        def sent(request: httpx.Request) -> None:
            self._sent[id(request)] = monotonic()

        def received(response: httpx.Response) -> None:
            started = self._sent.pop(id(response.request), monotonic())
            path = response.request.url.raw_path.decode().partition("?")[0]
            kind = response.headers.get("content-type", "").partition(";")[0]
            self.exchange(
                "HTTP",
                f"{response.request.method} {path}",
                f"{response.status_code} {kind}",
                (monotonic() - started) * 1000,
            )

        return httpx.Client(
            base_url=base_url,
            timeout=30,
            trust_env=False,
            event_hooks={"request": [sent], "response": [received]},
        )
