n = int(input())
print(sum(n // a for a in range(1, n + 1)))
