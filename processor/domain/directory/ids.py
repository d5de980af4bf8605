"""The public spelling of ids: a prefix and 15 letters or digits, as Qualtrics' clients know them.

Fifteen characters of base 62 hold 88 bits. A contact's number is mixed over all of them by a permutation, so that
neighbours look unrelated and a mistyped id is almost never (1 in 33 million) another contact's.
Nothing here is secret: the mixing hides order from the eye, not from an attacker.
"""

from hashlib import blake2b

__all__ = [
    "cgc_contact",
    "contact_cgc",
    "contact_cid",
    "contact_id",
    "derived_contact",
    "transaction_ctr",
    "transaction_range",
]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In the order of ASCII, so that ids sort as their numbers do."""
_DIGITS = {character: value for value, character in enumerate(_ALPHABET)}
_LENGTH = 15
_BITS = 88
_SIZE = 1 << _BITS
_HALF = _BITS // 2
_FIRST, _SECOND = 0x9E3779B97F4A7C15F39CC1, 0xC2B2AE3D27D4EB4F165667  # any odd numbers; they may never change
_UNDO_FIRST, _UNDO_SECOND = pow(_FIRST, -1, _SIZE), pow(_SECOND, -1, _SIZE)
_MAX_CONTACT = (1 << 63) - 1
_DERIVED = 1 << 62  # ids that were derived lie above those of the sequence
_KEY_BYTES = 16
_SHOWN_BYTES = _BITS // 8


def contact_cid(id_: int) -> str:
    """The public id of a contact's number. Raises ``ValueError`` outside 0 … 2^63 − 1."""
    if not 0 <= id_ <= _MAX_CONTACT:
        raise ValueError("a contact's number has 63 bits")
    mixed = id_ ^ (id_ >> _HALF)
    mixed = mixed * _FIRST % _SIZE
    mixed ^= mixed >> _HALF
    mixed = mixed * _SECOND % _SIZE
    mixed ^= mixed >> _HALF
    return "CID_" + _spell(mixed)


def contact_id(cid: str) -> int | None:
    """The number behind a public id; ``None`` for a text that ``contact_cid`` never returns."""
    mixed = _read(cid, "CID_")
    if mixed is None:
        return None
    mixed ^= mixed >> _HALF
    mixed = mixed * _UNDO_SECOND % _SIZE
    mixed ^= mixed >> _HALF
    mixed = mixed * _UNDO_FIRST % _SIZE
    mixed ^= mixed >> _HALF
    return mixed if mixed <= _MAX_CONTACT else None


def derived_contact(*parts: str) -> int:
    """The number of a contact that nobody can be found by, made of what must give the same one again."""
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return _DERIVED | int.from_bytes(digest, "big") >> 2


def contact_cgc(id_: int) -> str:
    """The public id of a contact within a mailing list: the characters of its ``CID_``."""
    return "CGC_" + contact_cid(id_).removeprefix("CID_")


def cgc_contact(cgc: str) -> int | None:
    """The number behind a public id within a list; ``None`` for a text that ``contact_cgc`` never returns."""
    return contact_id("CID_" + cgc.removeprefix("CGC_")) if cgc.startswith("CGC_") else None


def transaction_ctr(key: bytes) -> str:
    """The public id of a transaction: the first 11 bytes of its 16-byte effect key."""
    if len(key) != _KEY_BYTES:
        raise ValueError("an effect key has 16 bytes")
    return "CTR_" + _spell(int.from_bytes(key[:_SHOWN_BYTES], "big"))


def transaction_range(ctr: str) -> tuple[bytes, bytes] | None:
    """The least and the greatest effect key behind a public id, both inclusive; ``None`` for no such id."""
    shown = _read(ctr, "CTR_")
    if shown is None:
        return None
    start, rest = shown.to_bytes(_SHOWN_BYTES, "big"), _KEY_BYTES - _SHOWN_BYTES
    return start + b"\x00" * rest, start + b"\xff" * rest


def _spell(number: int) -> str:
    characters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))


def _read(text: str, prefix: str) -> int | None:
    if not text.startswith(prefix) or len(text) != len(prefix) + _LENGTH:
        return None
    number = 0
    for character in text[len(prefix) :]:
        digit = _DIGITS.get(character)
        if digit is None:
            return None
        number = number * len(_ALPHABET) + digit
    return number if number < _SIZE else None
