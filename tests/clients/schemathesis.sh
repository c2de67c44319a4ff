#!/usr/bin/env bash
# Generated requests against a live server: do its answers match its own /openapi.json?
#
# Usage: VENV=FOLDER schemathesis.sh http://localhost:8000
#   VENV          a virtual environment with tests/clients/requirements.txt installed
#   MAX_EXAMPLES  generated requests an operation (15)
#   SEED          a number for another choice of requests (the same ones every time)
#   TIME_LIMIT    seconds until the run is ended and has failed (300)
# Left out: sockets and MCP, which speak protocols that OpenAPI does not describe.
set -uo pipefail

[ $# = 1 ] && [ -n "${VENV-}" ] || { echo "usage: VENV=FOLDER schemathesis.sh URL" >&2; exit 2; }
url="${1%/}"
here="$(cd "$(dirname "$0")" && pwd)"
venv="$(cd "$VENV" && pwd)" || exit 2
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
: > empty.toml # no configuration file of a folder above has a say

if [ -n "${SEED-}" ]; then choice=(--seed "$SEED" --generation-database none); else choice=(--generation-deterministic); fi
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 SCHEMATHESIS_HOOKS=schemathesis_hooks NO_PROXY='*' no_proxy='*' \
  timeout --kill-after=10 "${TIME_LIMIT:-300}" \
  "$venv/bin/schemathesis" --config-file empty.toml --no-color run "$url/openapi.json" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing \
  --max-examples "${MAX_EXAMPLES:-15}" \
  --workers 1 \
  --request-timeout 15 \
  --exclude-path-regex '(/ws/|^/mcp)' \
  --suppress-health-check all \
  --report junit --report-junit-path junit.xml \
  "${choice[@]}"
code=$?

# One test case a schema operation; the run's own exit code has the last word.
"$venv/bin/python" - "$code" <<'EOT'
import sys
from xml.etree import ElementTree

code = int(sys.argv[1])
if code in (124, 137):
    print("the run took too long and was ended")
try:
    cases = ElementTree.parse("junit.xml").getroot().findall(".//testcase")
except (OSError, ElementTree.ParseError):
    cases = []
failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
passed = len(cases) - failed - sum(1 for case in cases if case.find("skipped") is not None)
if code != 0 and failed == 0:
    failed = 1
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
EOT
