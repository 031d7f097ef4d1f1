"""Whether all that a figure shows lies within it."""

from matplotlib.figure import Figure

SLACK_IN = 0.02


def fits(figure: Figure) -> bool:
    """Whether nothing that is drawn is cut off at an edge."""
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    return bool(
        min(box.x0, box.y0) >= -SLACK_IN
        and box.x1 <= width + SLACK_IN
        and box.y1 <= height + SLACK_IN
    )
