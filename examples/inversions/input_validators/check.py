import sys

n, s, a, c, m = map(int, sys.stdin.read().split())
if not (1 <= n <= 10**6 and 0 <= min(s, a, c) and max(s, a, c) < m <= 10**9):
    sys.exit("is not within its limits")
sys.exit(42)
