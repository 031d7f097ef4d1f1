"""Whether all that a figure shows lies within it."""

from matplotlib.figure import Figure


def fits(figure: Figure, slack: float = 0.02) -> bool:
    """Whether nothing that is drawn is cut off at an edge, but for so many inches."""
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    box = figure.get_tightbbox()
    return bool(
        min(box.x0, box.y0) >= -slack and box.x1 <= width + slack and box.y1 <= height + slack
    )
