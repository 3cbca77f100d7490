"""Cookies (RFC 6265bis) that are too many, too large, for others, or no text: what the next request carries."""

from __future__ import annotations

import pytest

import httpure
from tests.behaviour.world import World, needs
from tests.peers import Answer, Call, Site

from .cases import PATIENCE

#: For each: the values of Set-Cookie, and the Cookie field of the next request to the same place (None for none).
SET: dict[str, tuple[list[str], str | None]] = {
    "a plain one": (["a=b"], "a=b"),
    "nothing": ([""], None),
    "only an equals sign": (["="], None),
    "only semicolons": ([";;;"], None),
    "only an attribute": (["; Path=/"], None),
    "no name": (["=b"], "b"),
    "no equals sign": (["b"], "b"),
    "equals signs": (["a=b=c=="], "a=b=c=="),
    "quotes that do not end": (['a="b'], 'a="b'),
    "a comma": (["a=b, c=d"], "a=b, c=d"),
    "a tab inside": (["a=b\tc"], "a=b\tc"),
    "white space around": (["a \t=\t b \t; x"], "a=b"),
    "4,096 bytes": (["a=" + "b" * 4095], "a=" + "b" * 4095),
    "4,097 bytes": (["a=" + "b" * 4096], None),
    "a name of 4,097 bytes": (["a" * 4097 + "="], None),
    "a megabyte, nearly": (["a=" + "b" * 60_000], None),
    "attributes of 60,000 bytes": (["a=b; " + "x" * 60_000], "a=b"),
    "10,000 attributes": (["a=b" + "; x=y" * 10_000], "a=b"),
    "a path of 2,000 bytes": (["a=b; Path=/" + "x" * 2000], "a=b"),
    "a date that is none": (["a=b; Expires=yesterday"], "a=b"),
    "a date of 1,000 digits": (["a=b; Expires=" + "9" * 1000], "a=b"),
    "Max-Age that is no number": (["a=b; Max-Age=soon"], "a=b"),
    "Max-Age of 1,000 digits": (["a=b; Max-Age=" + "9" * 1000], "a=b"),
    "Max-Age of minus 1,000 digits": (["a=b; Max-Age=-" + "9" * 1000], None),
    "Max-Age 0": (["a=b; Max-Age=0"], None),
    "another host": (["a=b; Domain=example.org"], None),
    "the whole world": (["a=b; Domain=."], "a=b"),
    "a part of the address": (["a=b; Domain=0.0.1"], None),
    "a top-level domain": (["a=b; Domain=com"], None),
    "a domain that is not ASCII": (["a=b; Domain=\xe4.test"], None),
    "Secure, over http": (["a=b; Secure"], None),
    "__Host- over http": (["__Host-a=b; Secure; Path=/"], None),
    "__Secure- over http": (["__Secure-a=b; Secure"], None),
    "__host- without Secure": (["__host-a=b"], None),
    "__Secure- without a name": (["=__Secure-a=b"], None),
    "another path": (["a=b; Path=/other"], None),
    "a path that only begins alike": (["a=b; Path=/pla"], None),
    "bytes beyond ASCII": (["a=\xc3\xa4"], "a=\xc3\xa4"),
    "bytes that are no UTF-8": (["a=\xe4"], "a=\xc3\xa4"),  # as text, which goes out as UTF-8
    "the same a hundred times": ([f"a={number}" for number in range(100)], "a=99"),
}


@pytest.mark.parametrize("name", SET)
async def test_set_cookie(http: World, name: str) -> None:
    given, expected = SET[name]
    fields = [("Set-Cookie", value.encode("latin-1")) for value in given]
    url = http.serve(site := Site(lambda call: Answer(200, b"sound", fields)))  # type: ignore[arg-type]
    async with http.client(timeout=PATIENCE) as client:
        for _ in range(2):
            assert (await client.get(url + "/place/page")).content == b"sound"
        assert site.calls[1].field("cookie") == expected
        assert site.connections == 1


#: Bytes in Set-Cookie that h11 lets pass, in a head that is otherwise as ever; none of them is kept.
@pytest.mark.parametrize("byte", [1, 8, 11, 27, 31, 127], ids=hex)
@pytest.mark.parametrize("where", [b"a%c=b", b"a=b%c", b"a=b; Path=/%c"], ids=["name", "value", "attribute"])
def test_controls(byte: int, where: bytes) -> None:
    """Whatever brought them here: no cookie has them, and so no request."""
    cookies = httpure.Cookies()
    request = httpure.Request("GET", "http://a.test/")
    fields = [(b"Set-Cookie", where % byte), (b"Set-Cookie", b"good=one")]
    cookies.extract_cookies(httpure.Response(200, headers=fields, request=request))
    assert dict(cookies) == {"good": "one"}


async def test_more_than_a_host_may_have(http: World) -> None:
    fields = [("Set-Cookie", f"a{number}={number}") for number in range(900)]
    url = http.serve(site := Site(lambda call: Answer(200, b"", fields)))
    async with http.client(timeout=PATIENCE) as client:
        await client.get(url)
        await client.get(url)
        sent = (site.calls[1].field("cookie") or "").split("; ")
        assert sorted(sent) == sorted(f"a{number}={number}" for number in range(850, 900))
        assert len(client.itself.cookies) == 50


async def test_more_than_a_head_may_have(http: World) -> None:
    """A server could else lock its users out, by cookies that make their requests too long for it."""
    fields = [("Set-Cookie", f"a{number}=" + "x" * 4000) for number in range(50)]
    url = http.serve(site := Site(lambda call: Answer(200, b"", fields)))
    async with http.client(timeout=PATIENCE) as client:
        for _ in range(3):
            assert (await client.get(url)).status_code == 200
        assert len(site.calls[2].field("cookie") or "") <= 8192
        assert site.connections == 1


async def test_other_limits(http: World) -> None:
    limits = httpure.Limits(max_cookies_per_host=2, max_cookie_size=10, max_cookie_header=9)
    fields = [("Set-Cookie", value) for value in ("a=1234567890", "b=1", "c=2", "d=34567")]
    url = http.serve(site := Site(lambda call: Answer(200, b"", fields)))
    async with http.client(timeout=PATIENCE, limits=limits) as client:
        await client.get(url)
        await client.get(url)
        kept = {name for name, _ in client.itself.cookies.items()}
        assert kept == {"c", "d"}
        assert site.calls[1].field("cookie") in ("c=2", "d=34567")


@needs("virtual")
async def test_a_jar_of_many_hosts(http: World) -> None:
    """3,000 in all, whoever set them."""
    cookies = httpure.Cookies()
    for host in range(80):
        request = httpure.Request("GET", f"http://h{host}.test/")
        fields = [("Set-Cookie", f"a{number}=b") for number in range(50)]
        cookies.extract_cookies(httpure.Response(200, headers=fields, request=request))
    assert 2000 < len(cookies) <= 3000


async def test_a_cookie_does_not_reach_another_host(http: World) -> None:
    def app(call: Call) -> Answer:
        return Answer(
            200, b"", [("Set-Cookie", "a=b; Domain=127.0.0.1"), ("Set-Cookie", "c=d; Domain=localhost")]
        )

    url = http.serve(site := Site(app))
    async with http.client(timeout=PATIENCE) as client:
        await client.get(url)
        await client.get(url.replace("127.0.0.1", "localhost"))
        assert site.calls[1].field("cookie") is None


async def test_over_tls_and_back(http: World) -> None:
    """What was set over TLS for TLS is neither sent nor replaced over http."""
    fields = [("Set-Cookie", "__Secure-a=1; Secure; Path=/"), ("Set-Cookie", "b=1; Secure; Path=/")]
    safe = http.serve(safes := Site(lambda call: Answer(200, b"", fields)), tls=True)
    weak = [("Set-Cookie", "__Secure-a=2; Path=/"), ("Set-Cookie", "b=2; Path=/"), ("Set-Cookie", "b=2")]
    plain = http.serve(plains := Site(lambda call: Answer(200, b"", weak)))
    async with http.client(timeout=PATIENCE, verify="test") as client:
        for url in (safe, plain, plain, safe):
            await client.get(url)
        assert [call.field("cookie") for call in plains.calls] == [None, None]
        assert safes.calls[1].field("cookie") == "__Secure-a=1; b=1"
