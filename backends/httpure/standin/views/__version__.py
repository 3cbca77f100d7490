"""What stands for `httpx.__version__`: the version whose behaviour is kept."""

from __future__ import annotations

__all__ = ["__description__", "__title__", "__version__"]

__title__ = "httpx"
__description__ = "httpure, in the place of httpx."
#: The version of httpx whose names and behaviour are here. That of httpure is `httpure.__version__`.
__version__ = "0.28.1"
