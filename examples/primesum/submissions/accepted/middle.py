# Finds the two that are as near to each other as can be: other primes, just as right.
from math import isqrt


def is_prime(n):
    return n > 1 and all(n % d for d in range(2, isqrt(n) + 1))


n = int(input())
p = n // 2
while not (is_prime(p) and is_prime(n - p)):
    p -= 1
print(f"  {p}\n{n - p}")
