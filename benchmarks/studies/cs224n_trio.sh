#!/usr/bin/env bash
# Three tasks of Li (2024), one choice changed at a time: benchmarks/studies/cs224n_trio.sh DATA OUT [SEEDS]
#
# QQP, SST-5 and STS-B on one shared encoder; the first is the largest. Every run differs from the base (mean pooling, round
# robin, no regularizer) in one thing. Started again it goes on where it was stopped. JOBS runs at a
# time (2), one thread each.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0} jobs=${JOBS:-2}
export OMP_NUM_THREADS=1
mkdir -p "$out"

train() {
    echo "--tasks QQP,SST-5,STS-B --data-dir $data --backbone minilm --method multi --max-train 320 --max-dev 400" \
        "--max-length 96 --length-grouped --batch-size 16 --epochs 2 --lr 1e-4 --seeds $seeds --resume --name $1 --out $out/$1 ${*:2}"
}
{
    train smart_0.02 --pooling mean --sampler round-robin --regularizer smart:weight=0.02
    train smart_0.1 --pooling mean --sampler round-robin --regularizer smart:weight=0.1
    train smart_1 --pooling mean --sampler round-robin --regularizer smart:weight=1
    train base --pooling mean --sampler round-robin
    train cls --pooling cls --sampler round-robin
    train native --pooling native --sampler round-robin
    train adaptive --pooling mean --sampler adaptive-round-robin
} | xargs -P "$jobs" -L 1 hmnet train >> "$out/train.log"

hmnet compare "$out"/{base,cls,native,adaptive}
hmnet compare "$out"/{base,smart_0.02,smart_0.1,smart_1}
