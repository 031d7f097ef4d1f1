#!/usr/bin/env bash
# Three tasks of Li (2024), one choice changed at a time: benchmarks/studies/cs224n_trio.sh DATA OUT [SEEDS]
#
# QQP, SST-5 and STS-B on one shared encoder; the first is the largest. The base has the report's
# heads (a hidden layer on (u, v) of texts that are read one by one, cosine for STS-B), mean pooling,
# round robin and no regularizer; every other run differs from it in one thing. `heads_only` leaves
# the encoder as it is and trains at the report's larger rate; SMART has its proximal term.
# Started again it goes on where it was stopped. JOBS runs at a time (2), one thread each.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0} jobs=${JOBS:-2}
export OMP_NUM_THREADS=1
mkdir -p "$out"
heads="--head siamese,STS-B=cosine" difference="--head siamese-difference,SST-5=siamese,STS-B=cosine"

train() {
    echo "--tasks QQP,SST-5,STS-B --data-dir $data --backbone minilm --method multi --max-train 320 --max-dev 400" \
        "--max-length 96 --length-grouped --batch-size 16 --epochs 2 --lr 1e-4 --seeds $seeds --resume --name $1 --out $out/$1 ${*:2}"
}
{
    train smart_0.02 $heads --sampler round-robin --regularizer smart:weight=0.02,proximal=1
    train smart_0.1 $heads --sampler round-robin --regularizer smart:weight=0.1,proximal=1
    train smart_1 $heads --sampler round-robin --regularizer smart:weight=1,proximal=1
    train base $heads --sampler round-robin
    train heads_only $heads --sampler round-robin --freeze all --lr 1e-3
    train difference $difference --sampler round-robin
    train cls $heads --pooling cls --sampler round-robin
    train joined --pooling mean --sampler round-robin
    train native --pooling native --sampler round-robin
    train adaptive $heads --sampler adaptive-round-robin
} | xargs -P "$jobs" -L 1 hmnet train >> "$out/train.log"

hmnet compare "$out"/{base,heads_only,difference,cls,joined,native,adaptive}
hmnet compare "$out"/{base,smart_0.02,smart_0.1,smart_1}
