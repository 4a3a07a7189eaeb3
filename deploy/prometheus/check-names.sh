#!/usr/bin/env bash
# Checks these rules, prints violations with the file, and exits with 1:
# - The code registers every metric that the alerts, the dashboards and the documents name.
# - Every alert has a section in the runbook, the address of that section, a test in which it fires and one in which it does not.
# - The dashboards match contents.py.
# If promtool is installed, it also runs the tests of the alerts.
#   deploy/prometheus/check-names.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

amiss=0
complain() { echo "check-names: $*" >&2; amiss=1; }

name='penstock_(receiver|indexer)_[a-z0-9_]+'
registered=$(grep -rhoE --include='*.rs' "\"$name\"" shared/*/src receiver/src indexer/src | tr -d '"' | sort -u || true)
[[ -n $registered ]] || complain "no metric found in the code: has metrics.rs moved?"

while IFS=: read -r file metric; do
  plain=$metric
  case $metric in *_bucket | *_sum | *_count) plain=${metric%_*} ;; esac # the parts of a histogram
  grep -qxF -e "$metric" -e "$plain" <<<"$registered" || complain "$file uses $metric, which the code does not register"
done < <(find deploy README.md ARCHITECTURE.md docs -type f ! -name '*.rs' -print0 | xargs -0 grep -HIoE "\b$name\b" | sort -u)

alerts=deploy/prometheus/alerts.yml
tests=(deploy/prometheus/alerts-test.yml deploy/prometheus/objectives-test.yml)
while read -r alert; do
  anchor=$(tr '[:upper:]' '[:lower:]' <<<"$alert")
  grep -qx "### $alert" deploy/README.md || complain "deploy/README.md has no section $alert"
  grep -qF "runbook_url: \"deploy/README.md#$anchor\"" "$alerts" || complain "$alerts: $alert has no runbook_url for its section"
  grep -qE "alertname: $alert, exp_alerts: \[\]" "${tests[@]}" || complain "${tests[*]}: no test in which $alert does not fire"
  grep -qE "^ *(- )?alertname: $alert\$" "${tests[@]}" || complain "${tests[*]}: no test in which $alert fires"
done < <(sed -n 's/^ *- alert: //p' "$alerts")
deploy/grafana/generate --check || complain "the dashboards or the links of the alerts do not match deploy/grafana/contents.py"
if command -v promtool >/dev/null; then
  promtool test rules "${tests[@]}" >&2 || complain "a rule test failed"
fi
exit "$amiss"
