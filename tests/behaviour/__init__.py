"""One suite for every backend: what a client does must not depend on who does its I/O.

Each test is a coroutine function that takes `http`, a `World` (see `world.py`): the same code runs on threads, on
event loops and in simulations. `worlds.py` lists the backends; a new one is one more line there.
"""
