"""Deliveries into bronze: what lies in the landing folder, record by record, byte for byte."""
