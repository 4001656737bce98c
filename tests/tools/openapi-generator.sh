#!/usr/bin/env bash
# openapi-generator finds BASE/openapi.json valid, without a warning, and makes clients of it for Python, TypeScript (fetch) and
# Go. Each compiles, and CALL.py, CALL.ts and CALL.go get their answers with them from the running gateway. CALL is a path
# without the ending; each gets BASE and what follows as arguments.
# Usage: openapi-generator.sh BASE OUT CALL [ARGUMENT…]     (OUT lies below the node_modules that has the tools)
set -euo pipefail
base=$1 out=$2 call=$3
shift 3

main() {
    mkdir -p "$out"
    cd "$out"
    curl -fsS "$base/openapi.json" -o openapi.json
    valid
    generate
    python_client "$@"
    typescript_client "$@"
    go_client "$@"
}

# A type that only a stream has as its items is used by `x-item-schema`, which openapi-generator does not follow.
valid() {
    openapi-generator-cli validate --recommend --input-spec openapi.json 2>&1 | tee validate.log
    ! grep -E '^\s*- ' validate.log | grep -v 'Unused model: '
}

generate() {
    rm -rf python typescript go
    # Its own format of times has an offset that is none of RFC 3339, so times are given to it in UTC.
    configuration python python '{ packageName: gateway_client, datetimeFormat: "%Y-%m-%dT%H:%M:%S.%fZ" }' >python.yaml
    configuration typescript-fetch typescript '{ importFileExtension: .js }' >typescript.yaml
    configuration go go '{ packageName: gateway, enumClassPrefix: true }' >go.yaml
    # Otherwise all whole numbers would be of 32 bits. It has no unsigned number that can be null.
    echo 'typeMappings: { integer+uint32: int64, integer+uint64: int64 }' >>go.yaml
    openapi-generator-cli batch --fail-fast --threads 2 python.yaml typescript.yaml go.yaml >generate.log 2>&1 || {
        cat generate.log
        return 1
    }
}

configuration() {
    printf 'generatorName: %s\ninputSpec: openapi.json\noutputDir: %s\nadditionalProperties: %s\n' "$@"
    printf 'globalProperties: { apis: "", models: "", supportingFiles: "", apiTests: "false", modelTests: "false", apiDocs: "false", modelDocs: "false" }\n'
}

python_client() {
    python -m compileall -q python/gateway_client
    cp "$call.py" python/call.py
    PYTHONPATH=python python -W error python/call.py "$base" "$@"
}

typescript_client() {
    cp "$call.ts" typescript/call.mts
    echo '{ "type": "module" }' >typescript/package.json
    tsc --strict --target es2022 --module nodenext --lib es2022,dom --types node --outDir typescript/js \
        typescript/call.mts typescript/index.ts
    cp typescript/package.json typescript/js/
    node typescript/js/call.mjs "$base" "$@"
}

go_client() {
    # Nothing of it is left outside of this folder, and no other Go is fetched.
    export GOPATH=$out/../go GOCACHE=$out/../go/build GOTOOLCHAIN=local GOFLAGS=-mod=mod GONOSUMDB="*" GOTELEMETRY=off CGO_ENABLED=0
    mkdir -p go/call
    cp "$call.go" go/call/main.go
    cd go
    go mod edit -module=example.org/gateway
    sources_of_modules
    go run ./call "$base" "$@"
    cd ..
}

# What it generates of alternatives checks them with this module. Where no modules can be had, one that finds nothing stands in.
sources_of_modules() {
    ! grep -q gopkg.in/validator.v2 go.mod || timeout 20 go mod download gopkg.in/validator.v2 2>/dev/null || {
        echo "gopkg.in/validator.v2 cannot be had; a stand-in takes its place"
        mkdir validator
        printf 'module gopkg.in/validator.v2\n\ngo 1.23\n' >validator/go.mod
        printf 'package validator\n\nfunc Validate(any) error { return nil }\n' >validator/validator.go
        go mod edit -replace gopkg.in/validator.v2=./validator
    }
}

main "$@"
