"""`python -m httpure` is the command line."""

from __future__ import annotations

from httpure import main

if __name__ == "__main__":
    main()
