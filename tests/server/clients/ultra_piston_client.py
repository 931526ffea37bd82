"""The client "ultra-piston" of PyPI, with and without asyncio."""

import asyncio
import json
import sys

from ultra_piston import File, PistonClient
from ultra_piston.errors import BadRequestError

client = PistonClient(base_url=sys.argv[1] + "/api/v2/", app_name="test", rate_limit=0)
C_PROGRAM = "#include <stdlib.h>\nint main(void) { abort(); }"
SHOUT = File(name="shout.py", content="import sys; print(sys.stdin.read().upper(), end='')")

runtimes = client.get_runtimes()
packages = client.get_packages()
crash = client.post_execute("c", "*", File(content=C_PROGRAM))
shout = asyncio.run(client.post_execute_async("py", "3.x", SHOUT, stdin="shout"))
try:
    client.post_execute("python", "99.0.0", SHOUT)
    refused = None
except BadRequestError as error:
    refused = str(error)
print(json.dumps({
    "runtimes": [runtime.model_dump() for runtime in runtimes],
    "packages": [package.model_dump() for package in packages],
    "crash": crash.model_dump(),
    "shout": shout.model_dump(),
    "refused": refused,
}))
