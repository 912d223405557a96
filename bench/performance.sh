#!/usr/bin/env bash
# Remakes the tables of docs/performance.md, or of another file: runs each command there that makes a
# table (an indented line with table.sh or kernels.sh) and puts what it prints in place of the tables below it.
#   performance.sh [FILE]
# Takes some minutes; the machine should be idle.
set -euo pipefail
cd "$(dirname "$0")/.."
file=${1:-docs/performance.md}
new=$(mktemp "$file.XXXXXX")
trap 'rm -f "$new"' EXIT
old=
while IFS= read -r line; do
	if [[ -n $old ]]; then
		[[ -n $line && $line != '|'* ]] || continue
		old=
		echo
	fi
	printf '%s\n' "$line"
	if [[ $line == '    '*bench/table.sh* || $line == '    '*bench/kernels.sh* ]]; then
		echo "${line#    }" >&2
		table=$(bash -o pipefail -c "$line" </dev/null)
		printf '\n%s\n' "$table"
		old=1
	fi
done <"$file" >"$new"
chmod --reference="$file" "$new"
mv "$new" "$file"
