# Tries to reach a server that really listens on the host. Status 0: it could not.
import socket
import sys

port = int(input())
for address in ("127.0.0.1", "192.0.2.1"):
    try:
        socket.create_connection((address, port), timeout=0.2)
        print(address, "connected")
        sys.exit(1)
    except OSError as error:
        print(address, error)
