"""Servers and proxies that mean harm, or know no better.

Each case says what comes over the wire and what must come of it: an error of exactly this class, or exactly this body.
`cases.py` says what holds besides, after each of them; the rest are tables. They run in the worlds of the behaviour
suite: real sockets with threads, asyncio and trio, and a simulated network, once smooth and once rough.
"""
