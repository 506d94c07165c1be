"""Pulumi's wire format and checkpoint: how a JSON object or string says that it stands for another, and its names.

Source: ``pulumi/pulumi`` 3.250, ``sdk/go/common/resource/properties.go`` and ``sdk/go/common/resource/plugin/rpc.go``.
"""

from __future__ import annotations

from typing import Final

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
"""The key under which an object says what it stands for (``resource.SigKey``): one of the five below."""
SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
ASSET_SIGNATURE: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE_SIGNATURE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"

UNKNOWN_STRING: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""A value that only the real provider knows (``plugin.UnknownStringValue``)."""
UNKNOWNS: Final = frozenset(
    {
        UNKNOWN_STRING,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
"""The same of every type (``plugin.Unknown*Value``)."""


def logical_name(urn: str) -> str:
    """The logical name in a URN, which may hold ``::`` itself; empty for an empty one, which is the stack's."""
    return urn.split("::", 3)[-1]
