"""Logs: what the loggers of the standard library get, what they never get, and that they cost nothing when off."""

from __future__ import annotations

import asyncio
import logging
import sys
import types

import pytest

import httpure
from httpure._logging import Journal, journal
from tests.behaviour.world import World
from tests.peers import Answer, Site

from .fresh import fresh

SECRETS = ("sesame", "s3cret", "t0ken")


def site() -> Site:
    return Site(
        lambda call: (
            Answer(302, fields=[("Location", "/there?code=sesame"), ("Set-Cookie", "a=sesame")])
            if call.path == "/here"
            else Answer(200, b"s3cret body")
        )
    )


async def journey(http: World, **options: object) -> str:
    """A redirect, with secrets wherever there can be some; returns the server's host and port."""
    url = http.serve(site())
    here = url.replace("http://", "http://user:sesame@") + "/here?access_token=t0ken&page=2"
    async with http.client(follow_redirects=True, **options) as client:
        response = await client.post(here, headers={"X-API-Key": "sesame"}, content=b"s3cret upload")
        assert response.status_code == 200
    return url.removeprefix("http://")


def lines(caplog: pytest.LogCaptureFixture, name: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == name]


async def test_one_line_for_each_exchange(http: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    where = await journey(http)
    assert lines(caplog, "httpure") == [
        f'HTTP Request: POST http://user:[secure]@{where}/here?access_token=[secure]&page=2 "HTTP/1.1 302 "',
        f'HTTP Request: GET http://user:[secure]@{where}/there?code=[secure] "HTTP/1.1 200 "',
    ]
    ours = [record for record in caplog.records if record.name.startswith("httpure")]
    assert {(record.name, record.levelno) for record in ours} == {("httpure", logging.INFO)}
    assert {record.msg for record in ours} == {'HTTP Request: %s %s "%s %d %s"'}, "those who group by it can"


async def test_what_happens_below(http: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    where = await journey(http)
    port = where.partition(":")[2]
    started, complete = lines(caplog, "httpure.connection")
    assert started.startswith("connect_tcp.started ")
    assert f"host='127.0.0.1' port={port} " in started
    assert complete.startswith("connect_tcp.complete return_value=<connection from ('127.0.0.1', ")
    exchange = lines(caplog, "httpure.http11")
    assert [line.partition(" ")[0] for line in exchange] == [
        "send_request_headers.started",
        "send_request_headers.complete",
        "send_request_body.started",
        "send_request_body.complete",
        "receive_response_headers.started",
        "receive_response_headers.complete",
        "receive_response_body.started",
        "receive_response_body.complete",
        "response_closed.started",
        "response_closed.complete",
    ] * 2
    assert "(b'Set-Cookie', b'[secure]')" in exchange[5]
    assert "(b'Location', b'/there?code=[secure]')" in exchange[5]


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_no_secret_at_any_level(http: World, caplog: pytest.LogCaptureFixture, level: int) -> None:
    caplog.set_level(level)
    await journey(http, auth=("user", "s3cret"))
    assert caplog.records
    ours = [record for record in caplog.records if record.name.startswith("httpure")]
    for record in ours:
        for secret in SECRETS:
            assert secret not in record.getMessage()
            assert secret not in repr(record.args)


async def test_one_logger_alone(http: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "httpure.connection")
    await journey(http)
    names = {record.name for record in caplog.records if record.name.startswith("httpure")}
    assert names == {"httpure.connection"}


async def test_nothing_below_warning_by_default(http: World, caplog: pytest.LogCaptureFixture) -> None:
    await journey(http)
    assert not [record for record in caplog.records if record.name.startswith("httpure")]


async def test_a_custom_transport_is_logged_too(http: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    transport = httpure.MockTransport(lambda request: httpure.Response(404, text="s3cret"))
    async with http.client(transport=transport) as client:
        await client.get("http://example.org/?sig=sesame")
    assert lines(caplog, "httpure") == [
        'HTTP Request: GET http://example.org/?sig=[secure] "HTTP/1.1 404 Not Found"'
    ]


class TestJournals:
    def test_are_one_for_each_name(self) -> None:
        assert journal() is journal("")
        assert journal("http11") is journal("http11") is not journal("http2")

    def test_do_not_import_logging(self, monkeypatch: pytest.MonkeyPatch) -> None:
        each = Journal("httpure.test")
        monkeypatch.delitem(sys.modules, "logging")
        assert not each.enabled(logging.CRITICAL)
        each.record(logging.CRITICAL, "never written")
        assert "logging" not in sys.modules

    def test_wait_until_it_is_imported_to_the_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        each = Journal("httpure.test")
        monkeypatch.setitem(sys.modules, "logging", types.ModuleType("logging"))
        assert not each.enabled(logging.CRITICAL)

    def test_find_it_then_and_follow_its_levels(self, caplog: pytest.LogCaptureFixture) -> None:
        each = Journal("httpure.test")
        assert not each.enabled(logging.DEBUG)
        caplog.set_level(logging.DEBUG, "httpure.test")
        assert each.enabled(logging.DEBUG)
        each.record(logging.DEBUG, "%d %s", 1, "%s")
        assert caplog.messages == ["1 %s"]
        caplog.set_level(logging.ERROR, "httpure.test")
        assert not each.enabled(logging.DEBUG)


CODE = """if True:
    import sys, httpure
    assert "logging" not in sys.modules
    transport = httpure.MockTransport(lambda request: httpure.Response(200))
    with httpure.Client(transport=transport) as client:
        client.get("http://example.org/one")
        assert "logging" not in sys.modules
        rooms = {name.rpartition(".")[2] for name in sys.modules if name.startswith("httpure_core.operations.")}
        assert not rooms & {"masking", "raw", "reported"}, "what only few ask for"
        import logging
        logging.basicConfig(level="INFO", stream=sys.stdout, format="%(name)s %(message)s")
        client.get("http://example.org/two")
"""


@pytest.mark.slow
def test_the_import_of_logging_is_left_to_those_who_want_logs() -> None:
    assert fresh(CODE).strip() == 'httpure HTTP Request: GET http://example.org/two "HTTP/1.1 200 OK"'


def test_asyncio_logs_nothing_of_ours() -> None:
    """`asyncio` imports `logging` by itself: no handler, no line."""
    transport = httpure.MockTransport(lambda request: httpure.Response(200))

    async def get() -> int:
        async with httpure.AsyncClient(transport=transport) as client:
            return (await client.get("http://example.org/")).status_code

    assert asyncio.run(get()) == 200
