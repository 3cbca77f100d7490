"""One client, two hundred users at a time, and servers that fail in every way: what is left in the end?

`python -m tests.soak` does it in full on each backend, and prints figures; `test_soak.py` a small part.

    server.py   the servers, in a process of their own: HTTP/1.1, with TLS and without, and HTTP/2
    jobs.py     what is asked of them, and what may come of it
    users.py    threads and tasks that do these jobs, some of which are cancelled, and what is left behind
"""
