#!/usr/bin/env bash
# The paper's 13 tasks, from gains to Table 1: benchmarks/studies/thirteen_tasks.sh DATA OUT [SEEDS]
#
# Groups the tasks by vocabulary, by family and by measured gains, trains every method, and prints
# the tables. Started again it goes on where it was stopped. JOBS runs at a time (2), one thread each.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0} jobs=${JOBS:-2}
export OMP_NUM_THREADS=1
encoder="--data-dir $data --backbone minilm --pooling mean --batch-size 16 --max-length 96 --max-dev 400 --length-grouped"
mkdir -p "$out"

relevance vocab --data-dir "$data" --tokenizer minilm --out "$out/vocabulary.json"
relevance taxonomy --out "$out/taxonomy.json"
relevance pairwise $encoder --max-train 320 --epochs 3 --lr 2e-4 --normalise absolute --seeds "$seeds" --jobs "$jobs" --out "$out/gains.json"
relevance cluster "$out/vocabulary.json" --k 3 --out "$out/by_vocabulary.json"
relevance cluster "$out/taxonomy.json" --out "$out/by_taxonomy.json"
relevance cluster "$out/gains.json" --k 3 --out "$out/by_gains.json"

train() {
    echo "$encoder --max-train 320 --epochs 3 --lr 1e-4 --seeds $seeds --resume --name $1 --out $out/$1 ${*:2}"
}
{
    train single --method single
    train skillnet --method skillnet
    train multi --method multi
    for by in vocabulary taxonomy gains; do
        train "hmnet_$by" --method hmnet --clusters "$out/by_$by.json"
    done
} | xargs -P "$jobs" -L 1 hmnet train >> "$out/train.log"

relevance compare "$out"/{vocabulary,taxonomy,gains}.json --k 3
hmnet compare "$out"/{single,multi,skillnet,hmnet_vocabulary,hmnet_taxonomy,hmnet_gains}
