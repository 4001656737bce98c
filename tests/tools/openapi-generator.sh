#!/usr/bin/env bash
# openapi-generator makes clients of BASE/openapi.json in Python, TypeScript and Go. The first two compile and get an answer to one
# call, of FILE.py and FILE.mts; that of Go, which needs modules from elsewhere, is well-formed.
# Usage: openapi-generator.sh BASE OUT FILE     (OUT lies below the node_modules that has TypeScript)
set -euo pipefail
base=$1 out=$2 file=$3

cd "$out"
curl -fsS "$base/openapi.json" -o openapi.json
for language in python typescript-fetch go; do
    rm -rf "generated-$language"
    openapi-generator-cli generate -i openapi.json -g "$language" -o "generated-$language" >"generated-$language.log" 2>&1 || {
        cat "generated-$language.log"
        exit 1
    }
    ! grep ' ERROR ' "generated-$language.log"
done

python -m compileall -q generated-python/openapi_client
PYTHONPATH=generated-python python "$file.py" "$base"

cp "$file.mts" generated-typescript-fetch/call.ts
(cd generated-typescript-fetch && printf '{"type":"module"}' >package.json &&
    tsc --strict --target es2022 --module commonjs --lib es2022,dom --types node --outDir js call.ts)
printf '{"type":"commonjs"}' >generated-typescript-fetch/js/package.json
node generated-typescript-fetch/js/call.js "$base"

gofmt -e -l generated-go >/dev/null
