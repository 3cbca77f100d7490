"""The pure half of httpure: every decision of an HTTP client, and not one byte of I/O."""

__version__ = "0.1.0"
