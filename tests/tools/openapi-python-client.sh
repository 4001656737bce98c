#!/usr/bin/env bash
# openapi-python-client makes a client of BASE/openapi.json without a warning; it compiles, CALL fits its types, and
# CALL gets its answers with it from the running gateway.
# Usage: openapi-python-client.sh BASE OUT CALL.py
set -euo pipefail
base=$1 out=$2 call=$3

cd "$out"
curl -fsS "$base/openapi.json" -o openapi.json
printf 'package_name_override: gateway_client\npost_hooks: []\n' >config.yaml
openapi-python-client generate --path openapi.json --config config.yaml \
    --meta none --output-path gateway_client --overwrite --fail-on-warning
python -m compileall -q gateway_client
cp "$call" call.py
# The types of what we wrote; the generated files themselves have known blemishes that are not ours.
mypy --strict --follow-imports=silent call.py
python call.py "$base"
