"""Transports: what carries one request and brings its response. `base.py` is what to subclass."""
