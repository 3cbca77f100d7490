"""HTTP/2 (RFC 9113): the machine of a connection with many streams. Read `connection.py` first."""
