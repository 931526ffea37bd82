# Takes (1, 2) and (2, 1) for one pair.
from math import isqrt

n = int(input())
print(sum(n // a - a + 1 for a in range(1, isqrt(n) + 1)))
