"""What goes wrong is told in the same words on every backend."""

from __future__ import annotations

import re
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Deaf, Site, scripted, with_tls
from tests.peers.tls import authority

from .world import AnyClient, World
from .worlds import WORLDS

Scenario = Callable[[World, AnyClient], Awaitable[object]]


async def refused(http: World, client: AnyClient) -> None:
    await client.get(f"http://127.0.0.1:{http.free_port()}/path?secret")


async def unresolvable(http: World, client: AnyClient) -> None:
    await client.get("http://nonexistent.invalid/")


async def closed_before_the_answer(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([CLOSE])))


async def reset_before_the_answer(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([RESET])))


async def reset_in_the_body(http: World, client: AnyClient) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbo"
    async with client.stream("GET", http.serve(scripted([head, 0.02, RESET]))) as response:
        await http.read(response)


async def closed_in_the_head(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-", CLOSE])))


async def closed_in_the_body(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbo", CLOSE])))


async def closed_in_a_chunk(http: World, client: AnyClient) -> None:
    await client.get(
        http.serve(scripted([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbo", CLOSE]))
    )


async def garbage(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([b"garbage\r\n\r\n"])))


async def bad_chunk(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"])))


async def bad_gzip(http: World, client: AnyClient) -> None:
    await client.get(http.serve(Site(lambda call: Answer(200, b"x", [("Content-Encoding", "gzip")]))))


async def silence(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted()), timeout=httpure.Timeout(5, read=0.02))


async def silence_in_total(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted()), timeout=httpure.Timeout(5, total=0.02))


async def deafness(http: World, client: AnyClient) -> None:
    await client.post(http.serve(Deaf), content=b"x" * 16_000_000, timeout=httpure.Timeout(5, write=0.02))


async def no_free_connection(http: World, client: AnyClient) -> None:
    async with client.stream("GET", http.serve(Site(lambda call: Answer(200, [b"x", b"y"], pause=0.2)))):
        await client.get("http://127.0.0.1:1/", timeout=httpure.Timeout(5, pool=0.02))


async def untrusted(http: World, client: AnyClient) -> None:
    await client.get(http.serve(Site(lambda call: Answer(200)), tls=True))


async def no_tls(http: World, client: AnyClient) -> None:
    await client.get(http.serve(Site(lambda call: Answer(200))).replace("http:", "https:"))


async def silent_handshake(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted()).replace("http:", "https:"), timeout=0.2)


async def reset_handshake(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([0.03, RESET], at_once=True)).replace("http:", "https:"))


async def hung_up_handshake(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([CLOSE], at_once=True)).replace("http:", "https:"))


async def closed_at_once(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([CLOSE], at_once=True)))


async def refused_by_an_alert_later(http: World, client: AnyClient) -> None:
    """TLS 1.3: the server takes our certificate, or its absence, ill when the handshake is over for us."""
    context = authority().server_context("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    url = f"https://127.0.0.1:{http.listen(with_tls(Site(lambda call: Answer(200)), context))}"
    async with http.client(verify="test") as trusting:
        await trusting.get(url)


async def refused_by_an_alert_over_http2(http: World, client: AnyClient) -> None:
    context = authority().server_context("127.0.0.1")
    context.set_alpn_protocols(["h2"])
    context.verify_mode = ssl.CERT_REQUIRED
    url = f"https://127.0.0.1:{http.listen(with_tls(Site(lambda call: Answer(200)), context))}"
    async with http.client(verify="test", http2=True) as trusting:
        await trusting.get(url)


async def of_another_name(http: World, client: AnyClient) -> None:
    async with http.client(verify="test") as trusting:
        url = http.serve(Site(lambda call: Answer(200)), tls=True)
        await trusting.get(url, extensions={"sni_hostname": "third.test"})


async def proxy_refused(http: World, client: AnyClient) -> None:
    async with http.client(proxy=f"http://127.0.0.1:{http.free_port()}") as other:
        await other.get("https://example.org/")


async def proxy_that_hangs_up(http: World, client: AnyClient) -> None:
    async with http.client(proxy=http.serve(scripted([CLOSE]))) as other:
        await other.get("https://example.org/")


async def proxy_unresolvable(http: World, client: AnyClient) -> None:
    async with http.client(proxy="http://nonexistent.invalid:3128") as other:
        await other.get("https://example.org/")


async def nobody_at_the_socket(http: World, client: AnyClient) -> None:
    transport = http.transport(uds="/nonexistent/socket")
    async with http.client(transport=transport) as other:
        await other.get("http://127.0.0.1/")


async def wrong_scheme(http: World, client: AnyClient) -> None:
    await client.get("ftp://127.0.0.1/")


async def too_many_redirects(http: World, client: AnyClient) -> None:
    url = http.serve(Site(lambda call: Answer(302, b"", [("Location", "/")])))
    await client.get(url, follow_redirects=True)


async def body_too_short(http: World, client: AnyClient) -> None:
    url = http.serve(Site(lambda call: Answer(200)))
    await client.post(url, content=http.body([b"x"]), headers={"Content-Length": "2"})


async def closed_under_way(http: World, client: AnyClient) -> None:
    async def close_soon() -> None:
        await http.sleep(0.03)
        await client.close()

    results = await http.gather(client.get(http.serve(scripted()), timeout=1), close_soon())
    raise results[0]


async def closed_client(http: World, client: AnyClient) -> None:
    await client.close()
    await client.get("http://127.0.0.1/")


SCENARIOS = [
    *(
        refused,
        unresolvable,
        untrusted,
        of_another_name,
        no_tls,
        silent_handshake,
        reset_handshake,
        wrong_scheme,
    ),
    *(hung_up_handshake, refused_by_an_alert_later, proxy_refused, proxy_that_hangs_up, proxy_unresolvable),
    *(nobody_at_the_socket, closed_at_once, refused_by_an_alert_over_http2),
    *(closed_before_the_answer, closed_in_the_head, closed_in_the_body, closed_in_a_chunk),
    *(reset_before_the_answer, reset_in_the_body, garbage, bad_chunk, bad_gzip),
    *(silence, silence_in_total, deafness, no_free_connection),
    *(too_many_redirects, body_too_short, closed_under_way, closed_client),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_same_error_everywhere(scenario: Scenario) -> None:
    told = {make.args[0]: _told(make, scenario) for make in WORLDS}
    words = set(told.values())
    assert len(words) == 1, "\n".join(f"{name}: {text}" for name, text in told.items())
    assert len(words.pop()) > 40


def _told(make: partial[World], scenario: Scenario) -> str:
    """Run the scenario in a world and return its error's class and message, with what must differ left out."""
    world = make()
    errors: list[Exception] = []

    async def fail() -> None:
        async with world.client(limits=httpure.Limits(max_connections=1)) as client:
            try:
                await scenario(world, client)
            except Exception as exc:
                errors.append(exc)

    world.run(fail)
    world.close()
    message = re.sub(r"127\.0\.0\.1:[0-9]+", "127.0.0.1:PORT", str(errors[0]))
    message = re.sub(r"(?<=nonexistent.invalid' \().*(?=\), GET)", "why", message)  # the system's own words
    message = re.sub(
        r"(?<=TLS connection to 127.0.0.1 \()(wrong version number|record layer failure)", "why", message
    )
    return f"{type(errors[0]).__name__}, {getattr(errors[0], 'reason', None)}: {message}"
