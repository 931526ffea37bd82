#!/bin/sh
# Enough for awk: its numbers are exact up to 2^53.
awk '{
    for (a = 1; a * a <= $1; a++) count += 2 * (int($1 / a) - a) + 1
    printf "%.0f\n", count
}'
