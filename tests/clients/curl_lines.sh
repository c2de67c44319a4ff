#!/usr/bin/env bash
# Every curl line of the founding document, exactly as it stands there, against a live server at localhost:8000.
#
# Usage: curl_lines.sh [--origin-listed]      with the flag, the server lists the origin http://localhost:3000
set -uo pipefail

listed=no
case "${1-}" in
  '') ;;
  --origin-listed) listed=yes ;;
  *) echo "usage: curl_lines.sh [--origin-listed]" >&2; exit 2 ;;
esac
lines="$(cd "$(dirname "$0")/../seed" && pwd)/curl_lines.txt"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

# The lines stay as they are; what the checks need beside them comes from curl's own configuration file.
export CURL_HOME="$folder"
cat > "$folder/.curlrc" <<EOT
silent
show-error
noproxy = "*"
max-time = 20
dump-header = "$folder/headers"
EOT

passed=0 failed=0
check() { # NAME COMMAND...
  local name="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
  fi
}
has_status_field() { python3 -c 'import json, sys; sys.exit("status" not in json.load(open(sys.argv[1])))' "$folder/body" 2>/dev/null; }
has_code() { python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1])).get("code") != sys.argv[2])' "$folder/body" "$1" 2>/dev/null; }
has_header() { tr -d '\r' < "$folder/headers" | grep -qixF -- "$1"; }

run_line() {
  local line="$1" shown="${1//$'\\\n'/ }" exit_code=0 status
  shown="$(tr -s ' ' <<< "$shown")"
  : > "$folder/headers"
  bash -c "$line" > "$folder/body" 2> "$folder/errors" || exit_code=$?
  status="$(awk '/^HTTP\// {status = $2} END {print status + 0}' "$folder/headers")"
  echo "        $shown"
  echo "        $status $(tr -d '\r' < "$folder/body" | tr '\n' ' ' | head -c 160)$(head -c 160 "$folder/errors")"
  check "curl ends with 0" [ "$exit_code" = 0 ]
  case "$line" in
    *'-I '*)
      check "a plain request for a socket is 426" [ "$status" = 426 ]
      check "it says Upgrade: websocket" has_header 'upgrade: websocket' ;;
    *Origin:*)
      if [ "$listed" = yes ]; then
        check "a listed origin is 200" [ "$status" = 200 ]
        check "the CORS header names it" has_header 'access-control-allow-origin: http://localhost:3000'
      else
        check "an origin that is not listed is 403" [ "$status" = 403 ]
        check "its code is origin_not_allowed" has_code origin_not_allowed
      fi ;;
    *)
      check "the status is 200" [ "$status" = 200 ]
      check "the body is JSON with a status" has_status_field ;;
  esac
}

# A line that ends in a backslash goes on in the next.
command=
while IFS= read -r line <&3; do
  command+="$line"
  if [[ "$line" == *\\ ]]; then
    command+=$'\n'
    continue
  fi
  run_line "$command"
  command=
done 3< "$lines"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
