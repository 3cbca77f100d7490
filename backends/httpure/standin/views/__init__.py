"""The modules of httpx, as packages that reach into them expect them: each one a view of what httpure has in public.

A file here is named as the module of httpx that it stands for. What it lists in `__all__` is what there is to be
found there; what httpx alone needs for its own working (tables, patterns, adapters to its network library) is not.
"""

from __future__ import annotations
