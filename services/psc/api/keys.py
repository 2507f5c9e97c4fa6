"""The control plane's part of the signing keys, which all spaces of a deployment share."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.psc.api.context import CurrentProvider
from socle.http.control import sandbox_only

router = APIRouter(prefix="/_sandbox/psc", tags=["control plane"], dependencies=[sandbox_only])


class Rotation(BaseModel):
    model_config = ConfigDict(extra="forbid")

    forget: bool = Field(
        False,
        description="withdraw the former keys at once: every token that is out becomes invalid",
    )


@router.post("/keys/rotate")
async def rotate_keys(
    provider: CurrentProvider, rotation: Rotation | None = None
) -> dict[str, Any]:
    """New keys sign from now on; the answer is the key set as it is published now."""
    await provider.signer.rotate(forget=rotation is not None and rotation.forget)
    return await provider.signer.jwks()
