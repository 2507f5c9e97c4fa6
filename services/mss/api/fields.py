"""What the bodies of several routes share: attachments, header fields, the parts of a message."""

import base64
from typing import Annotated, Final

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.mss.domain.compose import Attachment, Draft
from services.mss.domain.headers import clean_line
from services.mss.domain.mailboxes import ANY_ADDRESS
from socle.errors import Category, DomainError
from socle.idgen import uuid7

STRICT: Final = ConfigDict(extra="forbid", hide_input_in_errors=True)
_LINE = r"^[^\x00-\x1f\x7f]*$"
Line = Annotated[str, Field(max_length=200, pattern=_LINE)]
MailAddress = Annotated[str, Field(max_length=320, pattern=ANY_ADDRESS)]
AddressInPath = Annotated[str, Path(max_length=320, pattern=_LINE)]
MessageId = Annotated[str, Field(pattern=r"^<[!-;=?-~]{1,250}@[!-;=?-~]{1,250}>$")]
# Written from other fields, or by the library with the body.
_OURS: Final = frozenset(
    {"from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version"}
)
_NAME: Final = r"^[A-Za-z0-9-]{1,64}$"


def decode_base64(text: str) -> bytes:
    """With the line ends that `base64` and MIME encoders write. ValueError where it is none."""
    return base64.b64decode("".join(text.split()), validate=True)


class AttachmentIn(BaseModel):
    model_config = STRICT

    filename: Annotated[str, Field(min_length=1, max_length=200, pattern=_LINE)]
    mime: str = Field(
        pattern=r"^(application|audio|font|image|model|text|video)/[a-zA-Z0-9.+-]{1,80}$"
    )
    data: str = Field(description="base64")

    def attachment(self) -> Attachment:
        try:
            content = decode_base64(self.data)
        except ValueError:
            raise DomainError(Category.INCORRECT, "attachment_data", "data is no base64.") from None
        return Attachment(self.filename, self.mime, content)


class PartsIn(BaseModel):
    """Everything of a message but its sender and recipients."""

    model_config = STRICT

    subject: Line = ""
    text: str = Field("", max_length=1_000_000)
    html: str = Field("", max_length=1_000_000)
    attachments: list[AttachmentIn] = Field([], max_length=50)
    headers: dict[Annotated[str, Field(pattern=_NAME)], Annotated[str, Field(max_length=2000)]] = (
        Field({}, max_length=50, description="such as X-MSS-NIL or Reply-To")
    )
    message_id: MessageId | None = Field(None, description="sent twice, it is one message")

    @field_validator("headers")
    @classmethod
    def _are_not_ours(cls, headers: dict[str, str]) -> dict[str, str]:
        names = [name.lower() for name in headers]
        for name in names:
            if name in _OURS or name.startswith("content-"):
                raise ValueError(f"{name} follows from the other fields")
        if len(set(names)) != len(names):
            raise ValueError("a header field stands twice")
        return headers

    def draft(self, sender: str, sender_name: str, to: list[str], copies: list[str]) -> Draft:
        return Draft(
            sender=sender,
            sender_name=sender_name,
            recipients=tuple(to),
            copies=tuple(copies),
            subject=self.subject,
            text=self.text,
            html=self.html,
            attachments=tuple(one.attachment() for one in self.attachments),
            headers=tuple((name, clean_line(value)) for name, value in self.headers.items()),
            message_id=self.message_id or f"<{uuid7()}@{sender.partition('@')[2]}>",
        )
