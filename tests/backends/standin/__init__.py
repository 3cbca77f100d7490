"""Tests of `httpure.standin` and `httpure.adapters`."""
