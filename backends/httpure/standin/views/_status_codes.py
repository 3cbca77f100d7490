"""What stands for `httpx._status_codes`."""

from __future__ import annotations

from httpure_core.models.status import codes

__all__ = ["code", "codes"]

#: A status; any one, for the sake of those who took it for the class.
code = codes.OK
