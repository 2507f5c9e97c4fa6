"""Where things lie in an archive, and how much one may hold (ITI TF-2 §3.32.4.1)."""

from typing import Final, Literal

ARCHIVE: Final = "IHE_XDM.ZIP"
"""The name of the attachment; both cases are seen, so it is compared without (spec: mss.md §4.1)."""

ROOT: Final = "IHE_XDM"
SUBSET: Final = f"{ROOT}/SUBSET01"
INDEX: Final = "INDEX.HTM"
README: Final = "README.TXT"
METADATA: Final = "METADATA.XML"

Action = Literal["", "C", "D"]
"""What becomes of a document at the receiver: nothing special, it replaces, it is to be deleted."""

ACTION_SLOT: Final = "action"
"""The extra metadata of the volet "Transmission d'un document CDA R2". Its guide gives the name and
the values C and D, not the object that carries it: ours stands on the document (unverified)."""

MAX_ENTRIES: Final = 500
MAX_SUBSETS: Final = 20
MAX_METADATA_BYTES: Final = 4 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
"""Of all files together. A mail holds 25 MB at most, some 18 MB of them as an archive."""
