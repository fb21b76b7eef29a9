//! Limits, records, redaction and encoding of what one hit captured.
