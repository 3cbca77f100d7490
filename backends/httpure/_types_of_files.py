"""What kind of file a name suggests: the core asks, as the answer is in tables of the operating system."""

from __future__ import annotations

__all__ = ["guess_type"]


def guess_type(name: str) -> str | None:
    """Return the media type for a file name, or None."""
    import mimetypes  # here, as few programs upload files

    return mimetypes.guess_type(name)[0]
