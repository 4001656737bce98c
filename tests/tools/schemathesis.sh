#!/usr/bin/env bash
# schemathesis finds nothing: all its phases and checks, EXAMPLES generated calls a method, the same ones for the same SEED.
# Usage: schemathesis.sh BASE OUT [EXAMPLES] [SEED] [OPTION…]
set -euo pipefail
config=$(cd "$(dirname "$0")" && pwd)/schemathesis.toml
base=$1 out=$2 examples=${3:-2000} seed=${4:-20240229}
shift $(($# < 4 ? $# : 4))

cd "$out"
schemathesis --config-file "$config" run "$base/openapi.json" --phases examples,coverage,fuzzing,stateful --checks all \
    --max-examples "$examples" --seed "$seed" --continue-on-failure --request-timeout 10 "$@"
