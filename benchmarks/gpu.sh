#!/usr/bin/env bash
# All that needs a GPU, in one call of nine minutes: benchmarks/gpu.sh FOLDER OUT
#
# FOLDER is what `gpu_folder.py` wrote. A step writes its result to OUT at its end and is skipped where
# OUT or FOLDER/done has it, so copy what came back into FOLDER/done before the next call; the gains
# that the study had measured come back too, as study.tar.gz. A step that fails leaves STEP.failed.txt
# and stops no other. Nothing begins, and nothing runs, after LIMIT seconds (530).
#   DEVICE=cpu   tiny forms of all steps without a GPU, which show that they work and measure nothing
#   STEPS="tests jobs"   only these, of: tests training jobs study
set -uo pipefail
folder=$(realpath "$1")
mkdir -p "$2" && out=$(realpath "$2")
cd "$(dirname "$0")/.."
device=${DEVICE:-cuda} limit=${LIMIT:-530} python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONPATH=$PWD RELEVANCE_CACHE=$work/cache TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 HMNET_TEST_DEVICE=$device
if [ "$device" != cpu ] && ls "$folder"/wheels/*.whl > /dev/null 2>&1; then
    "$python" -m pip install -q --no-index --no-deps --target "$work/site" "$folder"/wheels/*.whl
    PYTHONPATH=$PWD:$work/site
fi

step() { # NAME COMMAND...: run it in the time that is left, and keep what it printed
    local name=$1 left=$((limit - SECONDS)) started=$SECONDS status
    shift
    if [ -e "$out/$name.txt" ] || [ -e "$folder/done/$name.txt" ]; then
        echo "$name: done before"
    elif [ "$left" -lt 20 ]; then
        echo "$name: no time left"
    else
        timeout --kill-after=5 "$left" "$@" > "$out/$name.part" 2>&1
        status=$?
        echo "$name: status $status, $((SECONDS - started)) s"
        echo "status $status, $((SECONDS - started)) s, on $device" >> "$out/$name.part"
        rm -f "$out/$name.failed.txt"
        mv "$out/$name.part" "$out/$name$([ "$status" = 0 ] || echo .failed).txt"
    fi
}

tests() {
    "$python" -m pytest -p no:cacheprovider -W default -m gpu tests/hmnet/test_gpu.py
}

training() {
    local size="--steps 300 --rounds 2"
    [ "$device" = cpu ] && size="--steps 2 --rounds 1 --alone"
    "$python" benchmarks/training.py --data-dir "$folder/data" --backbone "$folder/minilm" --device "$device" $size
}

jobs() {
    local size="--gpu --workers 1 2 4 8 --tasks RTE,MRPC,SST-2,QNLI,CoLA --rows 1024"
    [ "$device" = cpu ] && size="--workers 1 2 --tasks RTE,MRPC --rows 32"
    "$python" benchmarks/study_workers.py --data-dir "$folder/data" --backbone "$folder/minilm" --rounds 1 $size
}

study() {
    local place=$work/study other="" tasks="" seeds=0,1
    [ "$device" = cpu ] && tasks=RTE,CB,WNLI,MRPC other="--max-steps-per-task 1 --max-dev 16 --max-length 32" seeds=0
    mkdir -p "$place"
    for packed in "$folder/done/study.tar.gz" "$out/study.tar.gz"; do
        [ -e "$packed" ] && tar -xzf "$packed" -C "$work"
    done
    (while sleep 20; do pack; done) & packing=$!
    TASKS=$tasks OTHER=$other BACKBONE=$folder/minilm JOBS=${JOBS:-4} PYTHON=$python \
        benchmarks/studies/thirteen_tasks.sh "$folder/data" "$place" "$seeds"
    local status=$?
    [ "$status" = 0 ] || tail -n 20 "$place/train.log"
    kill "$packing" && wait "$packing"
    pack
    return $status
}

pack() { # finished jobs, matrices and groups; runs have too many weights, and take a minute or two
    (cd "$work" && tar -czf study.tar.gz $(ls -d cache/jobs study/*.json) && cp study.tar.gz "$out") 2> /dev/null || true
}

export -f tests training jobs study pack
export folder out work device python
for name in ${STEPS:-tests training jobs study}; do
    step "$name" bash -c "$name"
done
