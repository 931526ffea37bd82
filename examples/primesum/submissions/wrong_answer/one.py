# Takes 1 for a prime.
from math import isqrt


def is_prime(n):
    return all(n % d for d in range(2, isqrt(n) + 1))


n = int(input())
p = 1
while not (is_prime(p) and is_prime(n - p)):
    p += 1
print(p, n - p)
