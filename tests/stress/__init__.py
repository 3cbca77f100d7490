"""One HTTP/2 connection, and all who use it at once: threads, or tasks of asyncio or trio.

`python -m tests.stress --requests 20000` does it in full and prints figures; `test_stress.py` a small part of it.

    peer.py     the server, in a process of its own
    jobs.py     what is asked of it, what is right, and what may go wrong
    crowds.py   threads and tasks that do these jobs, and what is left when they are done
"""
