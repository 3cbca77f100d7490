"""HTTP/1.1 as a machine. Read `connection.py` first, then `stream.py`, and `strict.py` for the fast lane."""
