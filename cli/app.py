"""What both commands have in common: how they start, end, and say things."""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import typer

from cli.output import Unread, note, show
from cli.quiet import is_quiet
from cli.streams import Results, begin_soon, standing_streams
from cli.unswallowed import unswallowed
from relevance import __version__
from relevance.errors import RelevanceError
from relevance.escaping import for_line
from relevance.jobs.interrupts import handled_interrupts, set_handlers
from relevance.lazy import collect_seldom

# click's own error, whichever click typer brings along
ClickError: type[Exception] = typer.BadParameter.__mro__[2]

AGAIN_AFTER_S = 0.1
STOPPED = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}


class Stopped(BaseException):
    """Ctrl-C or SIGTERM came: the command ends, and whatever it holds is let go on the way.

    Unlike `KeyboardInterrupt` it passes typer, which would make an exit status of it.

    Args:
        number: The signal.
        advice: How to go on, as a sentence; empty where nothing was kept.
    """

    def __init__(self, number: signal.Signals, advice: str = "") -> None:
        super().__init__(number, advice)
        self.number, self.advice = number, advice


RESUME = "Go on with the same command and --resume."
AGAIN = "What is finished is kept: go on with the same command."


@contextmanager
def goes_on(advice: str) -> Iterator[None]:
    """Say how to go on where the block is stopped.

    Args:
        advice: A sentence, such as `The same command goes on.`

    Yields:
        Nothing.

    Raises:
        Stopped: With the advice, in place of what stopped the block.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(signal.SIGINT, advice) from None
    except Stopped as stopped:
        raise Stopped(stopped.number, stopped.advice or advice) from None


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM stop the block; the second signal ends the process at once.

    Signals that the process ignores, as after `nohup`, stay ignored. A library beneath may drop
    what a signal raises, or make another error of it: then it is sent again, or told all the same.
    """
    came: list[signal.Signals] = []
    timers: list[threading.Timer] = []

    def stop(number: int, _: FrameType | None) -> None:
        set_handlers(dict.fromkeys(former, signal.SIG_DFL))
        came.append(signal.Signals(number))
        raise Stopped(came[-1])

    def send_again(dropped: Stopped) -> None:
        set_handlers(dict.fromkeys(former, stop))
        timers.append(threading.Timer(AGAIN_AFTER_S, os.kill, (os.getpid(), dropped.number)))
        timers[-1].daemon = True
        timers[-1].start()

    with handled_interrupts(stop) as former, unswallowed(Stopped, send_again):
        try:
            yield
        except Stopped:
            raise
        except BaseException:
            if came:
                raise Stopped(came[0]) from None
            raise
        finally:
            for timer in timers:
                timer.cancel()


def new_app(name: str, help_text: str) -> typer.Typer:
    """An empty command with the settings both share.

    Args:
        name: What `--version` calls it.
        help_text: What it is for.

    Returns:
        The command, which has `--version` and no subcommands yet.
    """
    app = typer.Typer(
        help=help_text,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    def tell(wanted: bool) -> None:
        if wanted:
            show(f"{name} {__version__}")
            raise typer.Exit

    @app.callback()
    def options(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version.", callback=tell, is_eager=True)
        ] = False,
    ) -> None:
        """What goes before a subcommand."""

    return app


def run(app: typer.Typer, name: str) -> None:
    """Run a command to its exit status, and tell where stdout could not take its results.

    Args:
        app: The command.
        name: What lines on stderr begin with.
    """
    collect_seldom()
    with standing_streams(name) as results:
        try:
            _run(app, name)
        except SystemExit as end:
            if end.code in {0, 1}:
                _check(results, name)
            raise
        except Unread:
            _check(results, name)
            sys.exit(0)


def _check(results: Results, name: str) -> None:
    """Fail where results are lost."""
    try:
        results.check()
    except RelevanceError as error:
        fail(name, str(error))


def _run(app: typer.Typer, name: str) -> None:
    """Run a command to its exit status: 0 done, 1 some jobs failed, 2 bad input.

    Bad input is one line on stderr; anything unexpected keeps its traceback. A command that is
    stopped says in one line how to go on, with status 130 after Ctrl-C and 143 after SIGTERM.

    Args:
        app: The command.
        name: What the line on stderr begins with.
    """
    warnings.showwarning = lambda message, *_args, **_kwargs: note(f"{name}: note: {message}")
    status: object = None
    try:
        with bad_input_ends(name), _stopped_by_signals(), goes_on(""):
            # Not `app(...)`, which would put a hook of typer's own in the place of ours.
            status = typer.main.get_command(app)(prog_name=name, standalone_mode=False)
    except ClickError as error:
        fail(name, _usage(name, error))
    except Stopped as stopped:
        note(f"{name}: {STOPPED[stopped.number]}. {stopped.advice}".rstrip())
        status = 128 + stopped.number
    sys.exit(status if isinstance(status, int) else 0)


@contextmanager
def bad_input_ends(name: str) -> Iterator[None]:
    """End with one line on stderr and exit status 2 where the block or function finds bad input.

    Args:
        name: What the line begins with.

    Yields:
        Nothing.
    """
    try:
        yield
    except RelevanceError as error:
        fail(name, str(error))


def fail(name: str, message: str) -> None:
    """End with one line on stderr and exit status 2."""
    note(f"{name}: {for_line(message)}")
    sys.exit(2)


def _usage(name: str, error: Any) -> str:
    """What is wrong with the options, and where they are explained."""
    command = error.ctx.command_path if error.ctx else name
    said = error.format_message().replace("Value error, ", "")  # typer passes on pydantic's words
    return f"{said.rstrip('.')}. See `{command} --help`."


@contextmanager
def loading() -> Iterator[None]:
    """Say that libraries are being loaded: on a terminal as long as the block takes."""
    begin_soon()
    terminal = sys.stderr.isatty() and not is_quiet()
    if terminal:
        sys.stderr.write("loading ...")
        sys.stderr.flush()
    try:
        yield
    finally:
        if terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
