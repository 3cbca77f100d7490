import copy
import pickle
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.errors import InvalidURL
from httpure_core.models.query import QueryParams
from httpure_core.models.url import URL, Origin

FULL = "HTTPS://jo%40email.com:a%20secret@m\xfcller.de:1234/pa%20th?search=ab#anchor%20link"


def test_all_parts():
    url = URL(FULL)
    assert url.scheme == "https"
    assert url.raw_scheme == b"https"
    assert url.userinfo == b"jo%40email.com:a%20secret"
    assert url.username == "jo@email.com"
    assert url.password == "a secret"
    assert url.host == "m\xfcller.de"
    assert url.raw_host == b"xn--mller-kva.de"
    assert url.port == 1234
    assert url.netloc == b"xn--mller-kva.de:1234"
    assert url.path == "/pa th"
    assert url.raw_path == url.target == b"/pa%20th?search=ab"
    assert url.query == b"search=ab"
    assert url.params == QueryParams("search=ab")
    assert url.fragment == "anchor link"
    assert url.origin == Origin("https", "xn--mller-kva.de", 1234)
    assert url.is_absolute_url and not url.is_relative_url
    assert (
        str(url) == "https://jo%40email.com:a%20secret@xn--mller-kva.de:1234/pa%20th?search=ab#anchor%20link"
    )


def test_no_parts():
    url = URL()
    assert (url.scheme, url.host, url.port, url.username, url.password, url.fragment) == (
        "",
        "",
        None,
        "",
        "",
        "",
    )
    assert (url.raw_scheme, url.raw_host, url.netloc, url.userinfo, url.query) == (b"", b"", b"", b"", b"")
    assert url.path == "/"
    assert url.raw_path == b"/"
    assert url.params == QueryParams()
    assert url.origin == Origin("", "", 0)
    assert url.is_relative_url and not url.is_absolute_url
    assert str(url) == ""
    assert URL("http:///p").is_relative_url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://h", ("http", "h", 80)),
        ("https://u:p@H:443/p", ("https", "h", 443)),
        ("ws://h", ("ws", "h", 80)),
        ("wss://h", ("wss", "h", 443)),
        ("http://h:8080", ("http", "h", 8080)),
        ("foo://h", ("foo", "h", 0)),
        ("http://[0:0::1]", ("http", "::1", 80)),
    ],
)
def test_origins(url, origin):
    assert URL(url).origin == origin
    assert hash(URL(url).origin) == hash(Origin(*origin))


@pytest.mark.parametrize("target", ["/%7E%41%2F%2f", "/?a=|^[]`{}'\\", "/a|b^[c]", "/%zz%", "/?", "/?%20+"])
def test_what_is_sent_is_what_was_given(target):
    assert URL(f"http://h{target}").raw_path == target.encode()


def test_the_same_text_is_the_same_object():
    assert URL("http://h/x") is URL("http://h/x")
    long = "http://h/" + "x" * 3000
    assert URL(long) is not URL(long)
    assert URL(long) == URL(long)
    url = URL(long)
    assert URL(url) is url
    assert url.copy_with() is url


def test_a_subclass_of_str_is_text():
    class Text(str):
        __slots__ = ()

        def __str__(self):
            raise AssertionError

    assert URL(Text("http://h")) == "http://h"


def test_a_subclass_of_url():
    class Mine(URL):
        pass

    url = Mine("http://u:p@h/x")
    assert type(url) is Mine
    assert url == URL("http://u:p@h/x")
    assert type(url.join("/y")) is type(url.copy_with(path="/y")) is Mine
    assert type(Mine(URL("http://h"))) is Mine
    assert type(URL(url)) is URL
    assert repr(url) == "Mine('http://u:[secure]@h/x')"


def test_equality_and_hash():
    assert URL("http://H:80/") == URL("http://h/") == "http://h/" == URL("HTTP://h:/")
    assert URL("http://h/") == "HTTP://H:80/"
    assert hash(URL("http://H:80/")) == hash(URL("http://h/"))
    assert URL("http://h") != URL("http://h/")
    assert URL("http://h") != "http://h:x"
    assert URL("http://h") != b"http://h"
    assert {URL("http://h"): 1}[URL("http://h:80")] == 1


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://u:p@h:81/p?q#f", "URL('http://u:[secure]@h:81/p?q#f')"),
        ("http://u@h", "URL('http://[secure]@h')"),
        ("http://u:@h", "URL('http://[secure]@h')"),
        ("/p", "URL('/p')"),
    ],
)
def test_repr_hides_the_password(url, shown):
    assert repr(URL(url)) == shown


def test_copies_and_pickles():
    url = URL(FULL)
    assert pickle.loads(pickle.dumps(url)) == copy.deepcopy(url) == copy.copy(url) == url
    assert weakref.ref(url)() is url


def test_a_url_never_changes():
    url = URL("http://h")
    for name in ("host", "port", "path", "other"):
        with pytest.raises(AttributeError, match=f"copy_with\\({name}="):
            setattr(url, name, "x")
        with pytest.raises(AttributeError, match=f"copy_with\\({name}="):
            delattr(url, name)
    assert url.host == "h"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"scheme": "http"}, "http://u:p@h:81/p?q=1#f"),
        ({"authority": "o:9"}, "https://o:9/p?q=1#f"),
        ({"username": "a b", "password": "c@d"}, "https://a%20b:c%40d@h:81/p?q=1#f"),
        ({"userinfo": b"x:y"}, "https://x:y@h:81/p?q=1#f"),
        ({"host": "o"}, "https://u:p@o:81/p?q=1#f"),
        ({"host": "::1", "port": 9}, "https://u:p@[::1]:9/p?q=1#f"),
        ({"port": 443}, "https://u:p@h/p?q=1#f"),
        ({"port": None}, "https://u:p@h/p?q=1#f"),
        ({"netloc": b"o:9"}, "https://u:p@o:9/p?q=1#f"),
        ({"path": "/x y"}, "https://u:p@h:81/x%20y?q=1#f"),
        ({"query": b"a=b c"}, "https://u:p@h:81/p?a=b%20c#f"),
        ({"query": None}, "https://u:p@h:81/p#f"),
        ({"raw_path": b"/x?y"}, "https://u:p@h:81/x?y#f"),
        ({"fragment": "g"}, "https://u:p@h:81/p?q=1#g"),
        ({"params": {"a": [1, None], "b": True}}, "https://u:p@h:81/p?a=1&a=&b=true#f"),
        ({"params": "a=b+c"}, "https://u:p@h:81/p?a=b+c#f"),
        ({"params": {}}, "https://u:p@h:81/p#f"),
        ({"params": None}, "https://u:p@h:81/p#f"),
    ],
)
def test_keyword_arguments_replace_components(changes, text):
    url = "https://u:p@h:81/p?q=1#f"
    assert str(URL(url, **changes)) == text
    assert str(URL(URL(url), **changes)) == text
    assert str(URL(url).copy_with(**changes)) == text


def test_of_components_alone():
    assert URL(scheme="https", host="h", path="/p", params={"a": "b"}) == "https://h/p?a=b"
    assert URL(path="/p") == "/p"


@pytest.mark.parametrize(
    "changes",
    [
        {"scheme": b"http"},
        {"host": b"h"},
        {"port": "80"},
        {"port": 80.0},
        {"netloc": "h"},
        {"query": "a"},
        {"raw_path": "/"},
        {"userinfo": "u"},
        {"path": b"/"},
        {"name": "x"},
        {"params": 5},
    ],
)
def test_keyword_arguments_have_types(changes):
    with pytest.raises(TypeError, match=f"{next(iter(changes))}|int"):
        URL("http://h", **changes)
    with pytest.raises(TypeError):
        URL("http://h").copy_with(**changes)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"port": -1}, "'-1' is not a number in ASCII digits"),
        ({"port": 65536}, "'65536' is not between 0 and 65535"),
        ({"port": True}, "'True'"),
        ({"query": b"\xfc"}, "query holds bytes that are not ASCII"),
        ({"netloc": b"h\r\n"}, "control character"),
        ({"params": {"a": "\ud800"}}, "params hold a lone surrogate"),
    ],
)
def test_keyword_arguments_are_checked(changes, rule):
    with pytest.raises(InvalidURL, match=rule):
        URL("http://h", **changes)
    with pytest.raises(InvalidURL, match=rule):
        URL("http://h").copy_with(**changes)


@pytest.mark.parametrize("wrong", [None, b"http://h", 5, ["http://h"]])
def test_a_url_is_made_of_text(wrong):
    with pytest.raises(TypeError, match=type(wrong).__name__):
        URL(wrong)


def test_what_grows_too_long_by_escaping_is_refused():
    with pytest.raises(InvalidURL, match="once it is escaped"):
        URL("http://h/" + "\xfc" * 20_000)
    with pytest.raises(InvalidURL, match="longer than 65536"):
        URL("http://h/" + "a" * 70_000)
    assert len(str(URL("http://h/" + "a" * 60_000))) == 60_009


def test_copying_with_other_parameters():
    url = URL("http://h/?a=1&a=2&b=3")
    assert url.copy_set_param("a", 9) == "http://h/?a=9&b=3"
    assert url.copy_set_param("c") == "http://h/?a=1&a=2&b=3&c="
    assert url.copy_add_param("a", 9) == "http://h/?a=1&a=2&a=9&b=3"
    assert url.copy_remove_param("a") == "http://h/?b=3"
    assert url.copy_remove_param("a").copy_remove_param("b") == "http://h/"
    assert url.copy_merge_params({"a": "9", "c": "4"}) == "http://h/?a=9&b=3&c=4"


def test_params_are_parsed_once():
    url = URL("http://h/?once=1")
    assert url.params is url.params


def test_joining():
    url = URL("http://u:p@h/a/b?q")
    assert url.join("../c?x") == "http://u:p@h/c?x"
    assert url.join(URL("//o/c")) == "http://o/c"
    with pytest.raises(InvalidURL):
        url.join("http://h:x")


def test_raw_is_deprecated():
    with pytest.warns(DeprecationWarning, match="raw_scheme"):
        raw = URL("http://h:81/p?q").raw
    assert raw == (b"http", b"h", 81, b"/p?q")
    assert raw.raw_path == b"/p?q"


def test_slots_are_documented():
    assert URL.__slots__["target"]


@settings(max_examples=60)
@given(st.text(max_size=20) | st.text(":/?#@[]%.hA1\xfc ", max_size=20).map("http://".__add__))
def test_any_text_is_a_url_or_an_invalid_url(text):
    try:
        url = URL(text)
    except InvalidURL:
        return
    assert URL(str(url)) == url == str(url)
    assert pickle.loads(pickle.dumps(url)) == url
    assert all(part is not None for part in (url.username, url.password, url.path, url.params, url.fragment))
