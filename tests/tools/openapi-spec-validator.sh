#!/usr/bin/env bash
# BASE/openapi.json is a valid OpenAPI 3.1 document, says openapi-spec-validator.
# Usage: openapi-spec-validator.sh BASE OUT
set -euo pipefail
base=$1 out=$2

curl -fsS "$base/openapi.json" -o "$out/openapi.json"
openapi-spec-validator "$out/openapi.json"
