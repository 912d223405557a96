#!/usr/bin/env bash
# Turns the lines of BenchmarkRoofline, BenchmarkGemm, BenchmarkConv and BenchmarkMemory into Markdown tables.
#   go test -run '^$' -bench Conv/avx512/dcgan64 ./internal/kernel | bench/table.sh
set -euo pipefail
export LC_ALL=C
declare -A cell
tables=() rows=() failed=

# put TABLE ROW COLUMN TEXT
put() {
	[[ " ${tables[*]-} " == *" $1 "* ]] || tables+=("$1")
	[[ " ${rows[*]-} " == *" $1:$2 "* ]] || rows+=("$1:$2")
	cell[$1:$2:$3]=$4
}

number() { # three digits
	case $1 in
	?.* | ??.*) printf '%.1f' "$1" ;;
	*) printf '%.0f' "$1" ;;
	esac
}

while read -r name _ rest; do
	case $name in
	Benchmark*) ;;
	FAIL* | ---) failed=1; continue ;;
	*) continue ;;
	esac
	name=${name%-[0-9]*}
	threads=${name##*=}
	declare -A metric=()
	read -ra fields <<<"$rest"
	for ((i = 0; i + 1 < ${#fields[@]}; i += 2)); do metric[${fields[i + 1]}]=${fields[i]}; done
	IFS=/ read -r kind tier net layer op _ <<<"$name"
	case $kind in
	BenchmarkRoofline) # tier is a tier or "memory", net what is done
		for unit in GFLOP/s GB/s; do
			[[ -z ${metric[$unit]:-} ]] || put roofline "$tier,_$net" "$threads" "$(number "${metric[$unit]}") $unit"
		done
		;;
	BenchmarkMemory) # tier is what is done, net perhaps a shape
		[[ $net == threads=* ]] || tier+=_$net
		put memory "$tier" "$threads" "$(number "${metric[GB/s]}") ($(printf '%.2f' "${metric[xcopy]}"))"
		;;
	BenchmarkGemm) # net is m x n x k, layer the form
		((threads == 1)) && threads+=_thread || threads+=_threads
		put "gemm,_$net" "$tier,_$threads" "$layer" "$(number "${metric[GFLOP/s]}") ($(number "${metric[%peak]:-0}"))"
		;;
	BenchmarkConv)
		text=$(number "${metric[GFLOP/s]}")
		[[ -z ${metric[%peak]:-} ]] || text+=$(printf ' (%.0f, %.0f)' "${metric[%peak]}" "${metric[%roofline]}")
		((threads == 1)) && threads+=_thread || threads+=_threads
		put "$net,_$tier,_$threads" "$layer" "$op" "$text"
		;;
	esac
done

for table in ${tables[@]+"${tables[@]}"}; do
	if [[ $table == roofline ]]; then
		columns=(1 2) head='| | 1 thread | 2 threads |'
	elif [[ $table == memory ]]; then
		columns=(1 2) head='| GB/s (time against a copy) | 1 thread | 2 threads |'
	elif [[ $table == gemm,* ]]; then
		columns=(NN NT TN packed) head="| ${table#gemm,_}: GFLOP/s (% of peak) | NN | NT | TN | packed |"
	else
		columns=(forward data weight image) head="| ${table//_/ } | forward | data gradient | weight gradient | one image |"
	fi
	printf '%s\n|---|' "$head"
	printf '%.0s---|' "${columns[@]}"
	echo
	for row in "${rows[@]}"; do
		[[ $row == "$table:"* ]] || continue
		row=${row#"$table:"}
		printf '| %s |' "${row//_/ }"
		for column in "${columns[@]}"; do printf ' %s |' "${cell[$table:$row:$column]:-}"; done
		echo
	done
	echo
done
[[ -z $failed && ${#tables[@]} -gt 0 ]] || { echo 'table.sh: no results, or a benchmark failed' >&2; exit 1; }
