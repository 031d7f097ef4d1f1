"""`hmnet pretrain`: objectives of pre-training at layers of their own."""

from typing import Annotated

import typer

from cli.app import RESUME, goes_on, loading
from cli.generated import Given, SettingsOf
from cli.model_options import FolderOption, ResumeOption
from cli.output import note, show

PRETRAINING = "hmnet.pretraining.settings:PretrainingConfig"


def pretrain(
    given: Annotated[Given, SettingsOf(PRETRAINING)],
    out: FolderOption,
    resume: ResumeOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would do and how long it would take.")
    ] = False,
) -> None:
    """Pre-train an encoder on texts: masked tokens, next sentences, swapped tokens.

    Each objective reads a layer of its own; layers above the highest of them are not run. The
    folder is what other commands take as --backbone, with its levels.

    Example: hmnet pretrain --corpus wiki.txt@heading --nsp-layer 8 --steps 10000 --out lower-nsp/
    """
    with loading():
        from cli.progress import TrainingLine
        from hmnet.pretraining.job import plan
        from hmnet.pretraining.run import check_pretraining, in_words
        from hmnet.pretraining.run import pretrain as run
        from hmnet.pretraining.settings import PretrainingConfig
        from relevance.disk.files import validated

    config = validated(PretrainingConfig, given, "settings")
    checked = check_pretraining(config, out, resume=resume)
    if dry_run:
        for line in plan(checked):
            show(line)
        return
    with goes_on(RESUME), TrainingLine(str(out)) as shown:
        result = run(config, out, resume=resume, on_event=shown.on_event)
    note(f"wrote {out}")
    if result.dev:
        show(f"dev: {in_words(result.dev)}")
