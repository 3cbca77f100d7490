"""Everything that reads what others have written, fed with what nobody would write.

`python -m tests.fuzz` runs for as long as one likes, guided by what code is reached; `test_fuzz.py` for a moment, and
always with the same inputs.

    engine.py     inputs made out of others, and what is learned from them
    target.py     what a target is
    wire.py       bytes that a server or a proxy sends: HTTP/1.1, HTTP/2, tunnels, SOCKS, content codings
    fields.py     what stands in the fields of a response: cookies, challenges, links, media types, redirects, dates
    given.py      what a user or the environment gives: URLs, requests, multipart, proxies, NO_PROXY, netrc

A target raises where something is wrong: another exception than those that are documented, another result for the same
bytes in other pieces, what is not what it was when it is read again, or what an independent reader finds to be
otherwise. What a fuzzer has found becomes a seed of its target.
"""
