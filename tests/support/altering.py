"""Alterations of files, each decided by a seed."""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HUGE = "9" * 5000
DEEP = 20_000
WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**15,
    10**40,
    "",
    "x",
    "../../x",
    "a\nb",
    "a\0b",
    [],
    {},
    [[]],
    [1, "two"],
    {"x": {}},
)
LITERALS = ("NaN", "Infinity", "-Infinity", "1e999", HUGE, '"\\ud800"', "[" * DEEP, '{"a":' * DEEP)


def altered(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A file's content as something may have altered it.

    Args:
        content: As it was.
        rng: Decides what happens.
        others: Contents of other files, one of which may come in its place.

    Returns:
        The content, nearly always another one.
    """
    act: Callable[..., bytes] = rng.choice(
        [
            *(_flip, _flip, _cut, _doubled, _inserted, _replaced_word, _replaced_word),
            *(_value, _value, _value, _value, _doubled_key, _swapped),
        ]
    )
    return act(content, rng, others)


def _flip(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    changed = bytearray(content or b" ")
    for _turn in range(rng.choice([1, 1, 8])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    return content[: rng.choice([0, 1, rng.randrange(len(content) + 1), len(content) - 1])]


def _doubled(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _turn in range(2))
    return content[:end] + content[start:]


def _inserted(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    place = rng.randrange(len(content) + 1)
    odd = [
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\r\n",
        b"\n\n",
        b'"',
        b",",
        b"[",
        b"#",
        b"\xed\xa0\x80",
    ]
    return content[:place] + rng.choice(odd) + content[place:]


def _replaced_word(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """One number or word of a text becomes something else."""
    words = content.replace(b",", b" ").replace(b"\t", b" ").split()
    if not words:
        return b"x"
    odd = [b"-1", b"0", b"nan", b"inf", b"1e999", HUGE.encode(), b"x", b"'", b"\xe2\x80\xae", b"="]
    return content.replace(rng.choice(words), rng.choice(odd), rng.choice([1, -1]))


def _value(content: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """One value of a JSON document, or of one of its lines, is of another type or gone."""
    lines = content.split(b"\n")
    try:
        json.loads(content)
        number, text = None, content
    except (ValueError, RecursionError):
        number = rng.randrange(len(lines))
        text = lines[number]
    try:
        document = {"": json.loads(text)}
    except (ValueError, RecursionError):
        return _replaced_word(content, rng, others)
    holder, key = rng.choice(list(_places(document)))
    if rng.random() < 0.3 and isinstance(holder, dict) and key:
        del holder[key]
    elif rng.random() < 0.3:
        holder[key] = "@literal@"
    else:
        holder[key] = rng.choice(WRONG)
    changed = json.dumps(document.get("")).replace('"@literal@"', rng.choice(LITERALS)).encode()
    if number is None:
        return changed
    return b"\n".join([*lines[:number], changed, *lines[number + 1 :]])


def _places(value: Any) -> Any:
    """All places in a document, as holders and keys."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def _doubled_key(content: bytes, rng: random.Random, _: Sequence[bytes]) -> bytes:
    """A line is there twice, or a field of a JSON object comes again with another value."""
    if b'": ' in content and rng.random() < 0.7:
        parts = content.split(b'"')
        key = rng.choice(parts[1::2])
        return content.replace(b"{", b'{"' + key + b'": 3, ', 1)
    lines = content.split(b"\n")
    line = rng.choice(lines)
    return b"\n".join([*lines, line])


def _swapped(_: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    return rng.choice(others)


def rewritten(path: Path, text: str) -> None:
    """Write a file of a finished run as if training had written it so."""
    path.write_text(text)
    manifest = path.with_name("manifest.json")
    content = json.loads(manifest.read_text())
    content["sha256"][path.name] = hashlib.sha256(text.encode()).hexdigest()
    manifest.write_text(json.dumps(content))
