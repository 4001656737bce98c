#!/usr/bin/env bash
# BASE/openapi.json keeps the rules that Redocly recommends, warnings too. The licence is the author's matter, and a type that only
# a stream has as its items is used by `x-item-schema`, which Redocly does not follow.
# Usage: redocly.sh BASE OUT
set -euo pipefail
base=$1 out=$2

cd "$out"
curl -fsS "$base/openapi.json" -o openapi.json
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
    redocly lint openapi.json --extends recommended --skip-rule info-license \
    --skip-rule no-unused-components --format stylish 2>&1 | tee redocly.log
! grep -Eq '^ *[0-9]+:[0-9]+ +(error|warning)' redocly.log
