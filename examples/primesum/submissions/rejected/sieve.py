# @EXPECTED_RESULTS@: RUN_TIME_ERROR, TIME_LIMIT_EXCEEDED
# Too slow or too large for large numbers: which of the two depends on the machine.
n = int(input())
is_prime = [False, False] + [True] * (n - 1)
for d in range(2, n):
    if is_prime[d]:
        for multiple in range(2 * d, n, d):
            is_prime[multiple] = False
for p in range(2, n):
    if is_prime[p] and is_prime[n - p]:
        print(p, n - p)
        break
