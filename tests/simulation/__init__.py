"""Whole clients in a simulated world, at the mercy of a seed: tasks, cancellations, servers and network misbehave.

    python -m tests.simulation --seed 7              one world, with what happened in it
    python -m tests.simulation --first 1 --count 500 many, and which of them went wrong

`manners.py` says what servers may do wrong, `http1.py`, `http2.py` and `way.py` are servers, proxies and what stands
for TLS, `ledger.py` is what they saw, `traffic.py` are the tasks, `checks.py` what must hold, `world.py` all of it.
"""
