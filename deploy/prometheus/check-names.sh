#!/usr/bin/env bash
# Every metric that the alerts, the dashboard and the documents name is one that the code registers, and every alert has its
# section in the runbook. Prints what is amiss, with the file, and ends with 1.
#   deploy/prometheus/check-names.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

amiss=0
complain() { echo "check-names: $*" >&2; amiss=1; }

name='penstock_(receiver|indexer)_[a-z0-9_]+'
registered=$(grep -rhoE --include='*.rs' "\"$name\"" shared/src receiver/src indexer/src | tr -d '"' | sort -u || true)
[[ -n $registered ]] || complain "no metric found in the code: has metrics.rs moved?"

while IFS=: read -r file metric; do
  plain=$metric
  case $metric in *_bucket | *_sum | *_count) plain=${metric%_*} ;; esac # the parts of a histogram
  grep -qxF -e "$metric" -e "$plain" <<<"$registered" || complain "$file uses $metric, which the code does not register"
done < <(find deploy README.md ARCHITECTURE.md docs -type f ! -name '*.rs' -print0 | xargs -0 grep -HIoE "\b$name\b" | sort -u)

while read -r alert; do
  grep -qx "### $alert" deploy/README.md || complain "deploy/README.md has no section $alert"
done < <(sed -n 's/^ *- alert: //p' deploy/prometheus/alerts.yml)
exit "$amiss"
