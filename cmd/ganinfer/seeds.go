package main

import (
	"fmt"
	"strconv"
	"strings"
)

// maxSeeds is the largest number of seeds in one list.
const maxSeeds = 1 << 20

// parseSeeds reads a list of seeds and inclusive ranges, such as 0-35,85.
func parseSeeds(s string) ([]uint64, error) {
	var seeds []uint64
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		lo, err := parseSeed(first)
		if err != nil {
			return nil, err
		}
		hi := lo
		if isRange {
			if hi, err = parseSeed(last); err != nil {
				return nil, err
			}
		}
		if hi < lo {
			return nil, fmt.Errorf("range %s ends before it begins", part)
		}
		if hi-lo >= uint64(maxSeeds-len(seeds)) {
			return nil, fmt.Errorf("more than %d seeds", maxSeeds)
		}
		for n := hi - lo + 1; n > 0; n-- {
			seeds = append(seeds, lo)
			lo++
		}
	}
	return seeds, nil
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number from 0 to 18446744073709551615", s)
	}
	return n, nil
}

// twice returns a seed that is in the list more than once, if there is one.
func twice(seeds []uint64) (seed uint64, ok bool) {
	seen := make(map[uint64]bool, len(seeds))
	for _, s := range seeds {
		if seen[s] {
			return s, true
		}
		seen[s] = true
	}
	return 0, false
}
