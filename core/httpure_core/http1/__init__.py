"""HTTP/1.1 as a machine. Read `connection.py`: one request and its response after the other."""
