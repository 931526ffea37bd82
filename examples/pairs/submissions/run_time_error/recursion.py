# Python gives up long before a million.


def count(n, a):
    return 0 if a * a > n else 2 * (n // a - a) + 1 + count(n, a + 1)


n = int(input())
print(count(n, 1))
