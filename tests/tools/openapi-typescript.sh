#!/usr/bin/env bash
# openapi-typescript makes types of BASE/openapi.json; CALL compiles strictly with them and openapi-fetch, and gets its
# answers from the running gateway.
# Usage: openapi-typescript.sh BASE OUT CALL.ts     (OUT lies below the node_modules that has the tools)
set -euo pipefail
base=$1 out=$2 call=$3

cd "$out"
curl -fsS "$base/openapi.json" -o openapi.json
openapi-typescript openapi.json --output schema.d.ts
cp "$call" call.mts
tsc --strict --target es2022 --module nodenext --types node call.mts schema.d.ts
node call.mjs "$base"
