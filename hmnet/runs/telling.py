"""How a training goes, in words; as plain lines on stderr where nothing else shows them."""

from typing import TYPE_CHECKING

from relevance.jobs.telling import PlainLine, duration

if TYPE_CHECKING:
    from hmnet.runs.train import Note
    from hmnet.training.hooks.progress import Progress


class TrainingLog(PlainLine):
    """Steps done, loss, steps per second, and the time left.

    Args:
        run: How to name the run.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def on_event(self, event: "Progress | Note") -> None:
        """Show a step, or pass on a note.

        Args:
            event: A step that is done, or a note.
        """
        from hmnet.runs.train import Note  # torch comes with it, and is loaded when events come

        if isinstance(event, Note) and event.passing:
            self.pass_by(f"{self._run}: {event.text}")
            return
        if isinstance(event, Note):
            self.say(f"hmnet: note: {event.text}")
            return
        term = "" if event.term is None else f" + {event.term:.4f}"
        self.update(
            f"{self._run}: step {event.step} of {event.total}, {event.task},"
            f" loss {event.loss:.4f}{term}{_objectives(event)}, {event.steps_per_s:.2f} steps/s,"
            f" {self.left(event)}",
            last=event.step == event.total,
        )

    def left(self, event: "Progress") -> str:
        """The time left in words.

        Args:
            event: A step that is done.

        Returns:
            What the line on it ends with.
        """
        return f"{duration(event.left_s)} left"


def _objectives(event: "Progress") -> str:
    """What each objective comes to, where there are several."""
    told = (
        f"{name} {score.loss:.3f} ({score.accuracy:.0%} right)"
        for name, score in event.objectives.items()
    )
    text = ", ".join(told)
    return f" ({text})" if text else ""
