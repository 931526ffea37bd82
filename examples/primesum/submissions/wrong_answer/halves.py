# Does not care for primes.
n = int(input())
print(n // 2, n // 2)
