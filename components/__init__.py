"""Pulumi components: one folder a capability, one module a cloud, one facade that picks the cloud."""
