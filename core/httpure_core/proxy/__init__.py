"""Proxies: how to ask one for a way to the origin. `tunnel` (CONNECT), `socks5`, and `forward` for plain HTTP."""
