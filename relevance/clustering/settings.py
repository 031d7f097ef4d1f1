"""Settings of groups, as a user gives them beside their number."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from relevance.choice import InHelp

Linkage = Literal["ward", "average", "complete", "single"]


@dataclass(frozen=True, kw_only=True)
class GroupingSettings:
    """How groups are found."""

    method: Annotated[
        str | None,
        Field(description="how groups are found; with predicted-gain `k` is the most groups"),
        InHelp("NAME", "kmeans", members="relevance.clustering.methods"),
    ] = None
    max_k: Annotated[
        int | None,
        Field(ge=2, description="largest k that auto tries"),
        InHelp("N", "one less than tasks, at most 50"),
    ] = None
    linkage: Annotated[
        Linkage | None,
        Field(description="agglomerative: what the distance of two groups is"),
        InHelp(default="ward"),
    ] = None
    overlap: Annotated[
        bool | None,
        Field(description="predicted-gain: groups may train tasks that another group serves"),
        InHelp(default="no"),
    ] = None
    subsets: Annotated[
        Path | None,
        Field(
            description="predicted-gain: groups that were trained, as check-groups writes them;"
            " what others gain is learned from these and all pairs"
        ),
        InHelp("FILE", "none"),
    ] = None
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, description="of random starts and resampling")
    ] = 0
