"""Kinds of malformed records; `_parse_error` starts with the kind, and quarantine's rule is ``parse_<kind>``."""

from __future__ import annotations

RAGGED = "ragged"
UNCLOSED_QUOTE = "unclosed-quote"
TEXT_AFTER_QUOTE = "text-after-quote"
UNDECODABLE = "undecodable"
TOO_LONG = "record-too-long"
NOT_JSON = "not-json"
NOT_AN_OBJECT = "not-an-object"
NO_ENVELOPE = "no-envelope"
NO_SEQUENCE = "no-sequence"
TRUNCATE = "truncate"

PARSE_ERRORS = {
    RAGGED: "the record has more or fewer fields than the header",
    UNCLOSED_QUOTE: "a quoted field is never closed",
    TEXT_AFTER_QUOTE: "text stands between a closing quote and the next delimiter",
    UNDECODABLE: "the bytes are not text in the contract's encoding",
    TOO_LONG: "no line end within the largest record that is read",
    NOT_JSON: "the record is no JSON (RFC 8259), or names a key twice",
    NOT_AN_OBJECT: "the record is JSON, and no object with fields",
    NO_ENVELOPE: "the record has not the envelope that the contract names",
    NO_SEQUENCE: "a change without the number that orders it",
    TRUNCATE: "the source's table was emptied: no record says which rows went",
}
"""Every kind, and what it means."""
