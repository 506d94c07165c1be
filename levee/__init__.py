"""The toolkit around the Pulumi engine."""

import os

# Read once, when grpc is first imported: Levee's children exec at once, so its fork handlers only do harm.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")
