"""What a user may choose. Floor 4: policies as values and plain functions; nothing here does I/O.

Read in this order: `options` (the values), `merge` (client and request into one), `environment` (proxies and
netrc, from data that the face hands in).
"""
