"""Write docs/httpx-api.md anew."""

from __future__ import annotations

from .table import PAGE, page

PAGE.write_text(page(), "utf-8")
print(f"{PAGE} written.")
