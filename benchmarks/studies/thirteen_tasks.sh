#!/usr/bin/env bash
# The paper's 13 tasks, from gains to Table 1: benchmarks/studies/thirteen_tasks.sh DATA OUT [SEEDS]
#
# Groups the tasks by vocabulary, by family and by measured gains, trains every method, and prints
# the tables. Started again it goes on where it was stopped. JOBS runs at a time (2), one thread each;
# on a GPU too, where all of them share it. BACKBONE is another encoder's folder; TASKS and OTHER are
# other tasks and settings, for a trial. The program PYTHON (python) has to find the packages.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0} jobs=${JOBS:-2}
export OMP_NUM_THREADS=1
encoder="--data-dir $data --backbone ${BACKBONE:-minilm} --pooling mean --batch-size 16 --max-length 96 --max-dev 400 --length-grouped"
other="${TASKS:+--tasks $TASKS} ${OTHER:-}"
relevance() { "${PYTHON:-python}" -m relevance "$@"; }
hmnet() { "${PYTHON:-python}" -m hmnet "$@"; }
mkdir -p "$out"

relevance vocab ${TASKS:+--tasks "$TASKS"} --data-dir "$data" --tokenizer "${BACKBONE:-minilm}" --out "$out/vocabulary.json"
relevance taxonomy ${TASKS:+--tasks "$TASKS"} --out "$out/taxonomy.json"
relevance pairwise $encoder --max-train 320 --epochs 3 --lr 2e-4 --normalise absolute $other --seeds "$seeds" --jobs "$jobs" --jobs-per-gpu "$jobs" --out "$out/gains.json"
relevance cluster "$out/vocabulary.json" --k 3 --out "$out/by_vocabulary.json"
relevance cluster "$out/taxonomy.json" --out "$out/by_taxonomy.json"
relevance cluster "$out/gains.json" --k 3 --out "$out/by_gains.json"

train() {
    echo "$encoder --max-train 320 --epochs 3 --lr 1e-4 $other --seeds $seeds --resume --name $1 --out $out/$1 ${*:2}"
}
{
    train single --method single
    train skillnet --method skillnet
    train multi --method multi
    for by in vocabulary taxonomy gains; do
        train "hmnet_$by" --method hmnet --clusters "$out/by_$by.json"
    done
} | xargs -P "$jobs" -L 1 "${PYTHON:-python}" -m hmnet train >> "$out/train.log"

relevance compare "$out"/{vocabulary,taxonomy,gains}.json --k 3
hmnet compare "$out"/{single,multi,skillnet,hmnet_vocabulary,hmnet_taxonomy,hmnet_gains}
