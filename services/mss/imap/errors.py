"""The two refusals of IMAP (RFC 3501 §7.1)."""


class No(Exception):
    """The command is well formed and was not carried out; `code` is the response code."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.text = f"[{code}] {text}" if code else text


class Bad(Exception):
    """The command breaks the grammar, or has no meaning in this state."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text
