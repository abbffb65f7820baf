#!/usr/bin/env bash
# Starts every long training run that is not running, in the background at the lowest priority,
# one thread each; see weights/training_runs.py. Give it again after any interruption.
#     [DATA=...] [FOLDER=...] [PYTHON=...] weights/train.sh [RUN ...]
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
DATA=${DATA:-/work/shared/data/cxr}
FOLDER=${FOLDER:-/work/train}
PYTHON=${PYTHON:-$here/.venv/bin/python}
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 PYTHONWARNINGS=ignore
[ $# -gt 0 ] || set -- adult-wide adult-deep
for run in "$@"; do
  mkdir -p "$FOLDER/$run"
  # One that runs already holds a lock: the second leaves at once.
  setsid nohup nice -n 19 "$PYTHON" "$here/weights/training_runs.py" "$run" \
    --data "$DATA" --folder "$FOLDER" >>"$FOLDER/$run/output" 2>&1 </dev/null &
done
