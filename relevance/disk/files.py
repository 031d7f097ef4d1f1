"""Files that are whole or not there: atomic writes, canonical JSON, errors that name the file."""

import errno
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from relevance.disk.parsing import parse_json, parse_toml
from relevance.errors import RelevanceError, shown, told_of, unknown_name

Model = TypeVar("Model", bound=BaseModel)

LONGEST_NAME, LONGEST_MESSAGE = 80, 500
RANDOM = "-" + "?" * 8  # what `tempfile` puts into names
PACKED = {
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\0": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"PK\x03\x04": "a zip archive, as spreadsheets are",
}
WIDE = {  # the longer marks begin with the shorter ones
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
TELLING_BYTES = 64


def cache_dir() -> Path:
    """`$RELEVANCE_CACHE`, or `data_cache` in the working directory."""
    return Path(os.environ.get("RELEVANCE_CACHE") or "data_cache")


def begin_cache() -> Path:
    """The cache folder, which is about to be written to.

    Returns:
        `cache_dir()`. Where it is a new one in the working directory a warning says where that is:
        started in another folder, the same command would not find what it holds.
    """
    folder = cache_dir()
    if not os.environ.get("RELEVANCE_CACHE") and not folder.exists():
        warnings.warn(
            f"what is prepared, encoded and finished is kept in {folder.absolute()}, found again"
            " from this folder only. Set RELEVANCE_CACHE to have one place for all.",
            stacklevel=2,
        )
    return folder


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values: sorted keys, no spaces, NaN refused.

    >>> canonical_json({"b": 1, "a": [2.0]})
    '{"a":[2.0],"b":1}'
    """
    # Keys of the cache are digests of this text: whatever changes it loses all finished jobs.
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """Hexadecimal sha256 of a JSON value's canonical text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name in a hidden folder beside a file; what is there takes the file's place at the end.

    What killed processes left of the same file is taken away. The block may put another file under
    the name, as libraries do that write to a temporary file of their own: what says that this
    process lives is a lock on a file of the hidden folder.

    Args:
        path: The file to write; its folder is made if missing. Where it is a link, what it leads
            to is written. A device or pipe takes what is written as it comes.

    Yields:
        The name, under which the block makes a file; it has the same suffix.

    Raises:
        RelevanceError: If the folder cannot be written or the disk is full.
    """
    from relevance.disk.folders import hidden  # it is built on this module, and slow to import

    try:
        if _is_stream(path):
            yield path
            return
        # What a link leads to is replaced, not the link. A temporary file elsewhere could be on
        # another file system, and renaming across these is not atomic.
        file = link_target(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with hidden(file) as folder:
            temporary = folder / f"new{path.suffix}"
            yield temporary
            temporary.chmod(usual_mode(0o666))  # some libraries make private files
            temporary.replace(file)
    except OSError as error:
        raise unwritable(path, error) from error


def link_target(path: Path) -> Path:
    """The absolute place that a path leads to, by way of links.

    Args:
        path: Any path, whether or not something is there.

    Returns:
        The place.

    Raises:
        OSError: If links lead in a circle.
    """
    try:
        return path.resolve()
    except RuntimeError as error:  # as older versions of Python say it
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from error


def usual_mode(mode: int) -> int:
    """The permissions that new files or folders of the user have: a mode less the user's mask."""
    # The system tells the mask only to whoever sets another one.
    umask = os.umask(0)
    os.umask(umask)
    return mode & ~umask


def unwritable(path: Path, error: OSError) -> RelevanceError:
    """The error for a place that cannot be written, to be raised by the caller.

    Args:
        path: Place of what was to be written.
        error: Error of the system. That a file exists means here that it stands in a folder's
            place.

    Returns:
        The error.
    """
    if isinstance(error, FileExistsError):
        error = NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    return RelevanceError(f"{path} cannot be written: {error.strerror or error}.")


def _is_stream(path: Path) -> bool:
    """Whether a path is a device or pipe, such as `/dev/stdout`, which no file may replace."""
    return path.exists() and not path.is_file() and not path.is_dir()


def check_writable(path: Path) -> None:
    """Refuse a place that nothing can be written to, better known before hours of work for it.

    Args:
        path: Place of a file to be; nothing is left there, nor are folders made.

    Raises:
        RelevanceError: If the file could not be made.
    """
    if _is_stream(path):
        return
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        folder = link_target(path).parent
        while not folder.exists():
            folder = folder.parent
        # Trying it is the one sure way: permissions say nothing of full or read-only file systems.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file at once or not at all.

    Args:
        path: The file; an older one is replaced.
        text: Content of the file, written as UTF-8.

    Raises:
        RelevanceError: If the folder cannot be written or the disk is full.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_text(path: Path) -> str:
    """Read a UTF-8 text file.

    Args:
        path: The file; a byte order mark at its beginning is skipped.

    Returns:
        Content of the file.

    Raises:
        RelevanceError: If the file is missing, unreadable or not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RelevanceError(f"{path}: no such file.") from None
    except UnicodeDecodeError as error:
        raise not_utf8(path, error) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if "\0" in text[:TELLING_BYTES]:  # UTF-16 without a mark, of Latin letters, is valid UTF-8
        raise not_utf8(path)
    return text


def not_utf8(
    path: Path, error: UnicodeDecodeError | None = None, start: bytes | None = None
) -> RelevanceError:
    """The error for a text file in another form, to be raised by the caller.

    Args:
        path: The file, which can be read.
        error: Error that says where it stopped being UTF-8, if that is known.
        start: The first bytes of what should be text; None for those of the file itself.

    Returns:
        The error, which names the form as far as the first bytes tell it.
    """
    if start is None:
        with path.open("rb") as file:
            start = file.read(TELLING_BYTES)
    for magic, form in PACKED.items():
        if start.startswith(magic):
            return RelevanceError(f"{path} is {form}, not text. Unpack it first.")
    wide = next((form for mark, form in WIDE.items() if start.startswith(mark)), None)
    if wide is None and b"\0" in start:
        wide = "UTF-16 without a byte order mark, or no text at all"
    if wide is not None:
        return RelevanceError(f"{path} is {wide}, not UTF-8. Save it as UTF-8.")
    place = "" if error is None else f" (byte {error.start})"
    return RelevanceError(f"{path} is not UTF-8{place}. Save it as UTF-8.")


def unreadable(path: Path, error: OSError | ValueError) -> RelevanceError:
    """The error for a file that the system does not give, to be raised by the caller.

    Args:
        path: The file.
        error: Error of the system, or Python's for a name that no file can have.

    Returns:
        The error.
    """
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return RelevanceError(f"{path} cannot be read: {reason}.")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Args:
        path: The file.

    Returns:
        Top-level table of the text.

    Raises:
        RelevanceError: If it cannot be read or is not TOML.
    """
    text = read_text(path)
    with told_of(path, " is "):
        return parse_toml(text)


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Args:
        path: The file.

    Returns:
        The object.

    Raises:
        RelevanceError: If it cannot be read or is not a JSON object; see `parse_json`.
    """
    text = read_text(path)
    with told_of(path, " is "):
        content = parse_json(text)
    if not isinstance(content, dict):
        raise RelevanceError(f"{path}: expected a JSON object, got {type(content).__name__}.")
    return content


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """Read a JSON file of ours.

    Args:
        path: The file.
        schema: Schema that it should have, such as `relevance.matrix/1`; a file without `schema` is
            taken to have it.

    Returns:
        Top-level object of the file, `schema` left out.

    Raises:
        RelevanceError: If it cannot be read, is not a JSON object, is of another kind, or was
            written by a newer version.
    """
    content = read_object(path)
    found = content.pop("schema", schema)
    kind, _, version = str(found).partition("/")
    expected_kind, _, expected_version = schema.partition("/")
    if kind != expected_kind:
        raise RelevanceError(f"{path} holds {shown(found)}, expected '{schema}'.")
    # Older schemas are read as well: new fields have defaults.
    known = {str(number) for number in range(int(expected_version) + 1)}
    if version not in known:
        raise RelevanceError(
            f"{path} has schema {shown(found)}, newer than this version reads ('{schema}')."
            " Update the toolkit: a release from when the file was written or later reads it."
        )
    return content


def write_json(path: Path, schema: str, content: Mapping[str, Any]) -> None:
    """Write a JSON file of ours at once or not at all.

    Args:
        path: The file; an older one is replaced.
        schema: Schema of the file, such as `relevance.matrix/1`.
        content: Fields of the object; NaN is refused, write None for unknown values.

    Raises:
        RelevanceError: If the folder cannot be written or the disk is full.
    """
    write_text(path, json_text(schema, content) + "\n")


def json_text(schema: str, content: Mapping[str, Any]) -> str:
    """The text of a JSON file of ours.

    Args:
        schema: Schema of the file, such as `relevance.matrix/1`.
        content: Fields of the object; NaN is refused, None stands for unknown values.

    Returns:
        JSON, its fields one below the other.
    """
    document = {"schema": schema, **content}
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)


def validated(model: type[Model], content: Any, where: str) -> Model:
    """Make a settings object from a file's content, or say in one line what is wrong with it.

    Args:
        model: The pydantic class.
        content: Content of the file.
        where: Name of the place in messages, such as `my_tasks.toml: task 'REVIEWS'`.

    Returns:
        The object.

    Raises:
        RelevanceError: If something is wrong, of which the first is told; an unknown field comes
            with the nearest name.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    # A misspelt field is missing under its right name too; the misspelling says more.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    field = ".".join(f"{part!s:.{LONGEST_NAME}}" for part in first["loc"])
    known = _fields_beside(model, first["loc"])
    if first["type"] == "extra_forbidden" and known:
        raise RelevanceError(f"{where}: {unknown_name('field', field, known)}")
    message = str(first.get("ctx", {}).get("error", first["msg"]))
    got = "" if first["type"] in {"missing", "value_error"} else f", got {shown(first['input'])}"
    place = f"{field}: " if field else ""
    raise RelevanceError(f"{where}: {place}{message.rstrip('.'):.{LONGEST_MESSAGE}}{got}.")


def _fields_beside(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Full names of the fields that stand beside one, empty where its table is none of ours."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        found = () if field is None else (field.annotation, *get_args(field.annotation))
        models = [each for each in found if isinstance(each, type) and issubclass(each, BaseModel)]
        if len(models) != 1:
            return []
        model = models[0]
    before = "".join(f"{part}." for part in place[:-1])
    return [f"{before}{name}" for name in model.model_fields]
