"""Models: tables of silver and gold that one SQL file and one contract make, checked before they replace."""
