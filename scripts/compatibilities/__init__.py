"""Running the tests of httpx, and of packages that use it, on httpure: see `scripts/compatibility`."""
