# Looks at neighbours only.
n, s, a, c, m = map(int, input().split())
count = 0
for _ in range(n - 1):
    t = (a * s + c) % m
    count += s > t
    s = t
print(count)
