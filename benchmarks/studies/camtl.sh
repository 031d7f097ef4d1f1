#!/usr/bin/env bash
# CA-MTL on eight GLUE tasks, one choice changed at a time: benchmarks/studies/camtl.sh DATA OUT [SEEDS]
#
# Each conditional module left out, other shares of frozen layers, samplers, adapters and PALs, beside
# hard sharing with the same half frozen. With as many rows in every task an epoch of uncertainty
# sampling has as many updates as one of `packed`; `mt_uncertainty_eighth` offers every row once.
# Started again it goes on where it was stopped. JOBS runs at a time (2), one thread each.
set -euo pipefail
data=$1 out=$2 seeds=${3:-0} jobs=${JOBS:-2}
export OMP_NUM_THREADS=1
mkdir -p "$out"

train() {
    echo "--tasks CoLA,SST-2,MRPC,STS-B,QQP,MNLI,QNLI,RTE --data-dir $data --backbone minilm --pooling mean" \
        "--max-train 480 --max-dev 400 --max-length 96 --length-grouped --batch-size 16 --epochs 2 --lr 1e-4 --warmup 0.1 --optimizer adam" \
        "--seeds $seeds --resume --name $1 --out $out/$1 ${*:2}"
}
{
    train mt_uncertainty --method camtl --sampler uncertainty
    train camtl --method camtl
    train multi --method multi --freeze 50%
    train mt_uncertainty_eighth --method camtl --sampler uncertainty:share=0.125
    train released_mt_uncertainty --method camtl --sampler uncertainty:variant=released
    train adapters --method adapters
    train adapters_1e-3 --method adapters --lr 1e-3
    train pals --method pals
    train frozen_0 --method camtl --freeze 0
    train multi_frozen_0 --method multi
    train frozen_25 --method camtl --freeze 25%
    train single --method single
    train released --method camtl:variant=released
    train no_attention --method camtl:attention=off
    train full_block --method camtl:attention=full-block
    train random_attention --method camtl:attention_start=random
    train no_alignment --method camtl:alignment=off
    train no_norm --method camtl:norm=off
    train no_bottleneck --method camtl:bottleneck=off
    train proportional --method camtl --sampler proportional
} | xargs -P "$jobs" -L 1 hmnet train >> "$out/train.log"

hmnet compare "$out"/{multi,single,camtl,released,no_attention,full_block,random_attention,no_alignment,no_norm,no_bottleneck} --baseline multi
hmnet compare "$out"/{multi_frozen_0,single,multi,camtl,frozen_25,frozen_0,adapters,adapters_1e-3,pals} --baseline multi_frozen_0
hmnet compare "$out"/{camtl,proportional,mt_uncertainty,released_mt_uncertainty,mt_uncertainty_eighth} --baseline camtl
hmnet curves "$out/mt_uncertainty/seed-0" --out "$out/mt_uncertainty.svg"
