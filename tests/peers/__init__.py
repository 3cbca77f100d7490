"""Servers without I/O of their own, for both worlds: real loopback sockets, and a simulated network.

`peer.py` says what such a server is; `http.py` is a well-behaved one on h11, `script.py` are all the others:
bytes, pauses and hang-ups, in any order; `tls.py` puts TLS before any of them, and `proxy.py` a proxy. `real.py`
runs them on real sockets; a `Simulation` runs them as they are: `simulation.network.listen(host, port, peer_factory)`.
"""

from __future__ import annotations

from .http import Answer, Call, HTTPPeer, Site
from .peer import Channel, Peer
from .proxy import ConnectProxy, SocksProxy
from .real import RealNetwork
from .script import CLOSE, RESET, Deaf, Script, dripping, scripted
from .tls import TLSPeer, with_tls

__all__ = [
    "CLOSE",
    "RESET",
    "Answer",
    "Call",
    "Channel",
    "ConnectProxy",
    "Deaf",
    "HTTPPeer",
    "Peer",
    "RealNetwork",
    "Script",
    "Site",
    "SocksProxy",
    "TLSPeer",
    "dripping",
    "scripted",
    "with_tls",
]
