"""Tokens per second of `hmnet pretrain` against `transformers.Trainer`, masked tokens alone.

    python benchmarks/pretraining.py --corpus ../shared/data/wikitext2/test.parquet:text@heading

Both train on the very same encoded rows, each of them once, in batches of one size and in one
precision, with AdamW at a constant rate; the Trainer has `DataCollatorForLanguageModeling`, which
pads to the longest row of a batch. What counts is real tokens: padding is none. Each way trains in
a fresh process, the ways in turn, and the ratio is taken within a round, of CPU seconds too, as
wall time says little on a machine that others use. The encoders are one of six
layers, 256 wide, with random weights, and MiniLM.

`hmnet pretrain` computes the logits of words at masked places alone, where the family's own model
computes them at every place, padding included: with 30,522 words that is most of the difference.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

MAX_LENGTH, BATCH_SIZE, LR = 128, 32, 1e-4
SMALL = {
    "hidden_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
}
ENCODERS = {"small": "6 layers, 256 wide", "minilm": "MiniLM"}
WAYS = {"ours": "hmnet pretrain", "trainer": "Trainer"}


def write_encoder(name: str, folder: Path) -> str:
    """The name of an encoder; the small one is a folder with MiniLM's tokenizer."""
    if name == "minilm":
        return name
    import torch
    from transformers import BertConfig, BertModel

    from hmnet.backbones.folder import resolve_backbone
    from hmnet.data.tokenizer import read_tokenizer

    tokenizer = read_tokenizer(resolve_backbone("minilm"))
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(tokenizer), **SMALL)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def prepared(corpus: str, encoder: str, precision: str, steps: int) -> Any:
    """The pre-training of as many rows as the steps take, each of them once."""
    from hmnet.pretraining.job import Job
    from hmnet.pretraining.run import check_pretraining
    from hmnet.pretraining.settings import PretrainingConfig

    config = PretrainingConfig(
        corpus=(corpus,),
        backbone=encoder,
        steps=steps,
        nsp_layer="off",
        max_length=MAX_LENGTH,
        long_share=0,
        batch_size=BATCH_SIZE,
        dev_share=0,
        lr=LR,
        optimizer="adamw",
        amsgrad=False,
        precision=precision,
        device="cpu",
    )
    job = Job.prepare(check_pretraining(config, Path(encoder) / "never-written"))
    inputs = job.source.inputs
    count = steps * BATCH_SIZE
    pairs = inputs.train["short"]
    if len(pairs) < count:
        raise SystemExit(f"The corpus makes {len(pairs)} rows, fewer than {count}: fewer --steps.")
    parts = ("starts", "lengths", "is_random", "documents")
    taken = replace(pairs, **{part: getattr(pairs, part)[:count] for part in parts})
    source = replace(job.source, inputs=replace(inputs, train={"short": taken}))
    return replace(job, source=source)


def rows_of(job: Any) -> list[list[int]]:
    """The rows as ids, special ones included."""
    import numpy as np

    pairs = job.source.inputs.train["short"]
    sequences = pairs.sequences(np.arange(len(pairs)))
    return [row.tolist() for row in np.split(sequences.ids, sequences.offsets[1:-1])]


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(started: tuple[float, float]) -> tuple[float, float]:
    wall, cpu = _now()
    return wall - started[0], cpu - started[1]


def ours(job: Any) -> tuple[float, float]:
    """Wall and CPU seconds of all steps by `hmnet pretrain`'s own loop."""
    from hmnet.training.hooks.progress import Report

    hooks = [Report(lambda step: job.source.scores_of(step.step))]  # as a run tells every step
    started = _now()
    job.fit(hooks)
    return _since(started)


def trainer(job: Any) -> tuple[float, float]:
    """Wall and CPU seconds of all steps by the Trainer."""
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

    from hmnet.backbones.folder import resolve_backbone
    from hmnet.backbones.pretrained import read_model

    model, _ = read_model(resolve_backbone(job.config.backbone), "AutoModelForMaskedLM")
    collator = DataCollatorForLanguageModeling(job.tokenizer, mlm_probability=0.15)
    rows = [{"input_ids": ids, "attention_mask": [1] * len(ids)} for ids in rows_of(job)]
    with tempfile.TemporaryDirectory() as out:
        settings = TrainingArguments(
            out,
            num_train_epochs=1,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=LR,
            lr_scheduler_type="constant",
            bf16=job.config.precision == "bf16",
            use_cpu=True,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        )
        run = Trainer(model, settings, train_dataset=rows, data_collator=collator)
        started = _now()
        done = run.train().global_step
        seconds = _since(started)
    if done != job.config.steps:
        raise SystemExit(f"The Trainer took {done} steps, not {job.config.steps}.")
    return seconds


def measured(way: str, options: argparse.Namespace) -> dict[str, float]:
    """Real tokens, and seconds of one training."""
    with tempfile.TemporaryDirectory() as folder:
        encoder = write_encoder(options.encoder, Path(folder) / "encoder")
        job = prepared(options.corpus, encoder, options.precision, options.steps)
        tokens = sum(map(len, rows_of(job)))
        wall, cpu = {"ours": ours, "trainer": trainer}[way](job)
    bf16 = job.config.precision == "bf16"
    return {"tokens": tokens, "wall": wall, "cpu": cpu, "bf16": bf16}


def in_fresh_process(way: str, encoder: str, options: argparse.Namespace) -> dict[str, float]:
    """One measurement."""
    command = [sys.executable, __file__, "--corpus", options.corpus, "--way", way]
    command += ["--encoder", encoder, "--precision", options.precision]
    done = subprocess.run(
        [*command, "--steps", str(options.steps)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRANSFORMERS_VERBOSITY": "error"},
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(encoder: str, options: argparse.Namespace) -> None:
    """Print the rates of both ways, and the median of their ratios within a round."""
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(options.rounds):
        order = list(WAYS) if number % 2 == 0 else list(WAYS)[::-1]
        rounds.append({way: in_fresh_process(way, encoder, options) for way in order})
    first = rounds[0]["ours"]
    print(
        f"{ENCODERS[encoder]}, {'bf16' if first['bf16'] else 'fp32'}, {options.steps} steps with"
        f" {first['tokens']:.0f} tokens"
    )
    for clock in ("wall", "cpu"):
        rates = {
            way: [found[way]["tokens"] / found[way][clock] for found in rounds] for way in WAYS
        }
        ratios = [one / other for one, other in zip(*rates.values(), strict=True)]
        said = ", ".join(
            f"{WAYS[way]} {statistics.median(each):.0f}" for way, each in rates.items()
        )
        print(
            f"    tokens per {clock} second: {said}; {statistics.median(ratios):.2f} times"
            f" ({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} round(s))",
            flush=True,
        )


def main() -> None:
    """Measure one way, or compare both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", required=True, help="as `hmnet pretrain` takes it")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", default="auto", help="of both: auto, bf16 or fp32")
    parser.add_argument("--encoder", choices=ENCODERS, help="one alone")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measured(options.way, options)))
        return
    for encoder in [options.encoder] if options.encoder else list(ENCODERS):
        compare(encoder, options)


if __name__ == "__main__":
    main()
