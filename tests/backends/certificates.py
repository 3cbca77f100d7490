"""Servers' certificates, right ones and wrong ones, and clients' certificates; all made for the occasion."""

from __future__ import annotations

import datetime
import functools
import ssl
from pathlib import Path

import trustme

__all__ = ["Certificates", "certificates"]

NAMES = ("127.0.0.1", "localhost")


class Certificates:
    """One authority, `ca`, that clients may trust, and what it has signed."""

    def __init__(self) -> None:
        self.ca = trustme.CA()
        self.stranger = trustme.CA()
        self.good = self.ca.issue_cert(*NAMES)

    @property
    def trusting(self) -> ssl.SSLContext:
        """A new client's context that trusts the authority and nobody else."""
        context = ssl.create_default_context(cadata=self.ca.cert_pem.bytes().decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def server(self, kind: str = "good") -> ssl.SSLContext:
        """A new server's context: "good", "self-signed", "unknown", "expired", or with the name that is given."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if kind == "self-signed":
            chain = trustme.Blob(self.ca.private_key_pem.bytes() + self.ca.cert_pem.bytes())
            with chain.tempfile() as path:
                context.load_cert_chain(path)
            return context
        self.leaf(kind).configure_cert(context)
        return context

    @functools.cache  # noqa: B019 - there is one object
    def leaf(self, kind: str) -> trustme.LeafCert:
        """A certificate with its key, see `server`."""
        if kind == "good":
            return self.good
        if kind == "unknown":
            return self.stranger.issue_cert(*NAMES)
        if kind == "expired":
            past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
            return self.ca.issue_cert(*NAMES, not_before=past, not_after=past + datetime.timedelta(days=1))
        return self.ca.issue_cert(kind)

    def ca_file(self, folder: Path) -> str:
        """Write the authority's certificate into the folder; return the file's path."""
        path = folder / "authority.pem"
        self.ca.cert_pem.write_to_path(path)
        return str(path)


@functools.cache
def certificates() -> Certificates:
    """The ones of this process."""
    return Certificates()
