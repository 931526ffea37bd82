from math import isqrt

n = int(input())
root = isqrt(n)
print(2 * sum(n // a for a in range(1, root + 1)) - root * root)
