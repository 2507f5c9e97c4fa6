"""Settings common to all processes, read from SOCLE_* variables (docs/environment.md)."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class MissingSettingError(RuntimeError):
    """A setting that has no safe default; the message says which command or variable helps."""


class Settings(BaseSettings):
    """A service adds its own fields in a subclass: `dmp_port` is read from SOCLE_DMP_PORT."""

    model_config = SettingsConfigDict(env_prefix="SOCLE_", extra="ignore", frozen=True)

    home: Path = Path(".socle")
    database_url: str | None = None
    database_pool_size: int = Field(5, ge=1)
    events: Literal["embedded", "kafka"] = "embedded"
    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_partitions: int = Field(6, ge=1)
    workers: Literal["inline", "none"] = "none"
    """`inline` runs a service's relay and consumers inside its web process."""

    public_url: str = "http://localhost:8080"
    public_tls_url: str = ""
    """The gateway's TLS listener as clients name it, for those that present a certificate."""

    gateway_key: SecretStr | None = None
    """What the gateway shows to the services, so that they believe which certificate it saw."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Whose word on a caller's certificate is taken: addresses or networks, comma-separated."""

    client_cert_header: str = Field("Client-Cert", pattern=r"^[A-Za-z0-9-]{1,64}$")
    """The field in which those proxies pass the certificate on."""

    host: str = "127.0.0.1"
    psc_url: str = "http://127.0.0.1:8081"
    ins_url: str = "http://127.0.0.1:8082"
    dmp_url: str = "http://127.0.0.1:8083"
    mss_url: str = "http://127.0.0.1:8084"
    usage_url: str = "http://127.0.0.1:8085"

    worker_port: int = 9100
    """Probes and metrics of a relay or a consumer that runs as a process of its own."""

    sandbox: bool = True
    default_space: str = "demo"
    max_spaces: int = Field(10_000, ge=1)
    pseudonym_key: SecretStr | None = None
    max_body_bytes: int = Field(32 * 1024 * 1024, ge=1)
    max_held_bytes: int = Field(256 * 1024 * 1024, ge=1)
    max_in_flight: int = Field(512, ge=1)
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    journal_size: int = Field(1000, ge=0)

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _read_networks(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return tuple(ip_network(item.strip()) for item in value.split(",") if item.strip())

    def require_database_url(self) -> str:
        if self.database_url is None:
            raise MissingSettingError(
                "No database is configured. Start the whole of Socle with `socle up`, or give a "
                "PostgreSQL server in SOCLE_DATABASE_URL (postgresql+asyncpg://user:password@host/name)."
            )
        return self.database_url

    def require_pseudonym_key(self) -> bytes:
        if self.pseudonym_key is None:
            raise MissingSettingError(
                "SOCLE_PSEUDONYM_KEY is not set. It keys the pseudonyms of patients in events: "
                "`socle up` makes one; elsewhere give 32 random bytes, for instance `openssl rand -hex 32`."
            )
        return self.pseudonym_key.get_secret_value().encode()
