"""A transport of one's own: it answers for one host name from a dict, and all else goes to the network.

python examples/custom_transport.py [URL]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpure


class Shelf(httpure.BaseTransport):
    """Serves texts by their paths. Redirects, cookies and auth stay with the client."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def handle_request(self, request: httpure.Request) -> httpure.Response:
        """Return the response to one request, with a stream that was not read yet."""
        text = self.texts.get(request.url.path)
        if text is None:
            return httpure.Response(404, text="no such text\n")
        return httpure.Response(200, stream=Lines(text))


class Lines(httpure.SyncByteStream):
    """A body that comes line by line."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __iter__(self) -> Iterator[bytes]:
        for line in self.text.splitlines(keepends=True):
            yield line.encode()


shelf = Shelf({"/poem": "Roses are red,\nviolets are blue.\n"})

with httpure.Client(mounts={"all://shelf.test": shelf}) as client:
    with client.stream("GET", "http://shelf.test/poem") as poem:
        for line in poem.iter_lines():
            print("|", line)
    print(client.get("http://shelf.test/prose").status_code)
    if len(sys.argv) > 1:
        print(client.get(sys.argv[1]))
