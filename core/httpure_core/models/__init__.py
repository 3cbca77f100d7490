"""The values that people hold. Read in this order:

1.  `percent.py`        which characters of a URL are sent as they are, and which as %XX
2.  `host.py`           what may stand where a host and a port are expected
3.  `reference.py`      a URL as seven plain parts: split, checked, normalised, resolved
4.  `query.py`          `QueryParams`, the query as a multi-dict
5.  `url.py`            `URL` and `Origin`, made of all the above
6.  `headers.py`        `Headers`, the fields of a message
7.  `status.py`         `codes`, the status codes by name
8.  `cookie_syntax.py`, `cookie_store.py`, `cookies.py`   what a server says, who gets it back, `Cookies`
9.  `request.py`        `Request`, what is sent
10. `links.py`, `stages.py`, `reading.py`, `response.py`  `Response`, from its parts to the whole
"""
