"""The story of a request, told in generators of effects.

Read them from the outside in: `follow.py` (auth, redirects, cookies, hooks), `transmit.py` (a slot of the pool,
a connection, an exchange), `dial.py` (name look-up, TCP, TLS), `exchange.py` (request out, head in), `body.py` (the
rest of the response in). `budget.py` says how long each phase may take and what to say when it took longer.

    >>> from threading import Lock
    >>> from httpure_core.operations.dial import Dialler
    >>> from httpure_core.operations.transmit import Transmitter
    >>> from httpure_core.pool import Pool
    >>> pool, dialler = Pool(Lock()), Dialler(httpure.TLSConfig())
    >>> transmitter = Transmitter(pool, dialler, clock=lambda: 0.0, wrap=lambda incoming: incoming)
    >>> operation = transmitter.transmit(httpure.Request("GET", "http://shop.example/"))
    >>> effect = next(operation)
    >>> type(effect).__name__, effect.host, effect.port
    ('Resolve', 'shop.example', 80)

docs/embedding.md goes on from here: how to write a driver, which performs the effects.
"""
