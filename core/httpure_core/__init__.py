"""The pure half of httpure: every decision of an HTTP client, and not one byte of I/O.

docs/embedding.md tells how to use it without the other half, docs/inside/architecture.md what is where.
"""

__version__ = "0.1.0"
