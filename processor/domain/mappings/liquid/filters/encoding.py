"""Filters that write a text in another form: HTML, URLs, base64, digests."""

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from processor.domain.mappings.contract import fail
from processor.domain.mappings.javascript import MISSING
from processor.domain.mappings.liquid.values import Meter, plain, text, written_true

__all__ = ["ENCODING"]

_Filter = Callable[..., Any]
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"}
_UNESCAPES = {escaped: char for char, escaped in _ESCAPES.items()}
_ESCAPED = re.compile("|".join(_UNESCAPES))
_TABLE = str.maketrans(_ESCAPES)
_GROWTH = 9
"""What a character of a text costs that becomes longer, in characters."""
_KEPT_IN_COMPONENT = "!'()*~"
_KEPT_IN_URI = "!#$&'()*+,/:;=?@~[]"
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
_ACCENTS = {
    "àáâãäå": "a", "æ": "ae", "ç": "c", "èéêë": "e", "ìíîï": "i", "ð": "d", "ñ": "n", "òóôõöø": "o", "ùúûü": "u",
    "ýÿ": "y", "ß": "ss", "œ": "oe", "þ": "th", "ẞ": "SS", "Œ": "OE", "Þ": "TH",
}  # fmt: skip
_PLAIN_LETTERS = str.maketrans({letter: plain for letters, plain in _ACCENTS.items() for letter in letters})
_SLUG_MARKS = {"default": "", "latin": "", "pretty": "._~!$&'()+,;=@"}


def _of_text(change: Callable[[str], str]) -> _Filter:
    def apply(meter: Meter, value: Any, *_given: Any) -> str:
        given = text(value, meter)
        meter.spend(len(given) * _GROWTH)
        return change(given)

    return apply


def _escape(value: str) -> str:
    return value.translate(_TABLE)


def _unescape(value: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPES[found.group()], value)


def _quoted(value: str, kept: str) -> str:
    try:
        return quote(value, safe=kept)
    except UnicodeEncodeError:
        fail("half a character cannot be part of a URL")


def _url_decode(value: str) -> str:
    if _BAD_PERCENT.search(value):
        fail("url_decode: this is not URL-encoded")
    try:
        return unquote_to_bytes(value.replace("+", " ").encode("utf-8", "surrogatepass")).decode()
    except UnicodeDecodeError:
        fail("url_decode: this is not URL-encoded UTF-8")


def _base64_decode(value: str) -> str:
    given = re.sub(r"[\t\n\f\r ]", "", value)
    if len(given) % 4 == 0:
        given = re.sub("==?$", "", given)
    if len(given) % 4 == 1 or not re.fullmatch("[A-Za-z0-9+/]*", given):
        fail("base64_decode: this is not base64")
    return base64.b64decode(given + "=" * (-len(given) % 4)).decode("utf-8", "replace")


def _bytes(value: str) -> bytes:
    """UTF-8, with a mark in place of half a character, as Node writes it."""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _hmac(meter: Meter, value: Any, key: Any = MISSING, *_more: Any) -> str:
    given, secret = text(value, meter), text(key, meter)
    meter.spend((len(given) + len(secret)) * _GROWTH)
    return hmac.new(_bytes(secret), _bytes(given), hashlib.sha256).hexdigest()


def _slugify(meter: Meter, value: Any, mode: Any = MISSING, cased: Any = False, *_more: Any) -> str:
    given, mode = text(value, meter), plain(mode)
    meter.spend(len(given) * _GROWTH)
    mode = "default" if mode is MISSING else mode
    if mode == "latin":
        given = given.translate(_PLAIN_LETTERS)
    if mode == "raw":
        given = _dashed(re.sub(r"[\s\ufeff]+", "-", given))
    elif mode == "ascii":
        given = _dashed(re.sub("[^A-Za-z0-9]+", "-", given))
    elif type(mode) is str and mode in _SLUG_MARKS:
        marks = _SLUG_MARKS[mode]
        kept = "".join(char if char in marks or _is_letter(char) else "\0" for char in given)
        given = _dashed(re.sub("\0+", "-", kept))
    return given if written_true(cased) else given.lower()


def _is_letter(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LM" or category == "Nd"


def _dashed(value: str) -> str:
    return value.removeprefix("-").removesuffix("-")


ENCODING: Mapping[str, _Filter] = {
    "base64_decode": _of_text(_base64_decode),
    "base64_encode": _of_text(lambda value: base64.b64encode(_bytes(value)).decode()),
    "cgi_escape": _of_text(lambda value: _quoted(value, "~").replace("%20", "+")),
    "escape": _of_text(_escape),
    "escape_once": _of_text(lambda value: _escape(_unescape(value))),
    "hmac_sha256": _hmac,
    "sha256": _of_text(lambda value: hashlib.sha256(_bytes(value)).hexdigest()),
    "slugify": _slugify,
    "unescape": _of_text(_unescape),
    "uri_escape": _of_text(lambda value: _quoted(value, _KEPT_IN_URI)),
    "url_decode": _of_text(_url_decode),
    "url_encode": _of_text(lambda value: _quoted(value, _KEPT_IN_COMPONENT).replace("%20", "+")),
    "xml_escape": _of_text(_escape),
}
