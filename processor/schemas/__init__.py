"""JSON Schemas of the topics that others may write to or read, and of their headers; docs/schemas has the same."""
