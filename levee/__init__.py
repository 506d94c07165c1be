"""The toolkit around the Pulumi engine."""
