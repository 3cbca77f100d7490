"""The story of a request, told in generators of effects.

Read them from the outside in: `follow.py` (auth, redirects, cookies, hooks), `transmit.py` (a slot of the pool,
a connection, an exchange), `dial.py` (name look-up, TCP, TLS), `exchange.py` (request out, head in), `body.py` (the
rest of the response in). `budget.py` says how long each phase may take and what to say when it took longer.
"""
