"""Settings of the DMP service (docs/environment.md)."""

from pydantic import Field

from socle.settings import Settings


class DmpSettings(Settings):
    dmp_port: int = 8083
    dmp_batch_size: int = Field(256, ge=1, description="submissions committed together at most")
    dmp_batch_bytes: int = Field(8 * 1024 * 1024, ge=1, description="bytes committed together")
    dmp_flushes: int = Field(2, ge=1, description="commits under way at once")
    dmp_queue_bytes: int = Field(256 * 1024 * 1024, ge=1, description="bodies held in memory")
    dmp_ins_timeout_seconds: float = Field(5.0, gt=0)
