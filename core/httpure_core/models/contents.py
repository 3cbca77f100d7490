"""The content of a response once it is there: as bytes, as text, as JSON. `reading.py` is how it gets there."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import ResponseNotRead

if TYPE_CHECKING:
    from collections.abc import Callable

    from .headers import Headers

__all__ = ["Contents"]

#: Longer values of Content-Type are read anew each time.
MAX_REMEMBERED = 128


class Contents:
    """What `Response` makes of its content. Not made by itself: the attributes below come from `Response`."""

    headers: Headers
    #: A name, or a function of the content, for text whose charset the server does not say.
    default_encoding: str | Callable[[bytes], str]

    # Defaults stand on the class, so that a new response costs no time for what most never use.
    _content: bytes | None = None
    _text: str | None = None
    _encoding: str | None = None

    @property
    def content(self) -> bytes:
        """The decoded body. Raises ResponseNotRead before `read()`, `aread()`."""
        if self._content is None:
            raise ResponseNotRead
        return self._content

    @property
    def text(self) -> str:
        """The body as text in `encoding`; what that cannot decode becomes U+FFFD. Raises ResponseNotRead."""
        if self._text is None:
            self._text = self._decoded()
        return self._text

    def _decoded(self) -> str:
        encoding = self.encoding or "utf-8"
        try:
            return self.content.decode(encoding, "replace")
        except (LookupError, TypeError, ValueError):
            # Never what the server has named: that is looked at before.
            from ..content.utf8 import UnknownEncoding

            if isinstance(encoding, str):
                raise UnknownEncoding(
                    f"Text cannot be in {encoding[:40]!r}, which is no charset that is read here."
                ) from None
            raise TypeError(f"An encoding is the name of a charset, not {type(encoding).__name__}.") from None

    def json(self, **kwargs: Any) -> Any:
        """Return the body parsed as JSON; UTF-8, -16 and -32 are told apart by its first bytes.

        >>> httpure.Response(200, text='{"price": 1.10}').json(parse_float=str)
        {'price': '1.10'}

        Keyword arguments go to `json.loads`. Raises ValueError (as a rule json.JSONDecodeError) where it is
        no JSON or is nested too deeply, and ResponseNotRead.
        """
        import json  # here, as many programs never need it

        try:
            return json.loads(self.content, **kwargs)
        except RecursionError:
            pass
        raise ValueError("The JSON of the response is nested too deeply to be read.")

    @property
    def encoding(self) -> str | None:
        """The name of the charset of the text.

        That which was set here, else the server's (`charset_encoding`) if Python knows it, else
        `default_encoding`. Setting it after `text` was looked at raises ValueError.
        """
        if self._encoding is not None:
            return self._encoding
        encoding, known = self._charset()
        if not known:
            if isinstance(self.default_encoding, str):
                encoding = self.default_encoding
            elif self._content is None:
                return "utf-8"  # asked too early to detect anything: ask again when the content is there
            else:
                if not callable(self.default_encoding):
                    raise TypeError(
                        "default_encoding is the name of a charset, or a function of bytes, not "
                        f"{type(self.default_encoding).__name__}."
                    )
                encoding = self.default_encoding(self._content)
        self._encoding = encoding or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        if self._text is not None:
            raise ValueError("The text was already decoded: set .encoding before .text is used.")
        self._encoding = value

    @property
    def charset_encoding(self) -> str | None:
        """The charset that Content-Type names, known or not; None if it names none."""
        return self._charset()[0]

    def _charset(self) -> tuple[str | None, bool]:
        """Return the charset that Content-Type names, and whether Python knows it."""
        content_type = self.headers.get("content-type")
        if content_type is None:
            return None, False
        if len(content_type) > MAX_REMEMBERED:
            return _charset_of.__wrapped__(content_type)
        return _charset_of(content_type)


@lru_cache(maxsize=256)
def _charset_of(content_type: str) -> tuple[str | None, bool]:
    # Servers send few different ones; to read one takes ten times as long as to remember it.
    from ..content.text import charset_from_content_type, is_known_encoding

    charset = charset_from_content_type(content_type)
    return charset, charset is not None and is_known_encoding(charset)
