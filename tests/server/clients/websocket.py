"""The client "websockets" of PyPI: a signal reaches the program, which says so and ends."""

import json
import sys

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PROGRAM = """
import os, signal, time
def stop(*_):
    os.write(1, b"stopped\\n")
    os._exit(5)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(60)
"""

messages = []
with connect(sys.argv[1].replace("http", "ws") + "/api/v2/connect") as socket:
    init = {"type": "init", "language": "python", "version": "*", "files": [{"content": PROGRAM}]}
    socket.send(json.dumps({**init, "run_timeout": 3000}))
    try:
        while True:
            message = json.loads(socket.recv())
            messages.append(message)
            if message.get("data") == "ready\n":
                socket.send(json.dumps({"type": "signal", "signal": "SIGTERM"}))
    except ConnectionClosed:
        pass
print(json.dumps({"code": socket.close_code, "messages": messages}))
