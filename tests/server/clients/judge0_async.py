"""The client "judge0-client" of PyPI: asynchronous, with a token in a header."""

import asyncio
import json
import sys

from judge0_client import Judge0Client, Judge0Error, SingleFileSubmission

SOURCE = "import sys\nprint(input() + 'é')\nprint('oops', file=sys.stderr)\nsys.exit(7)\n"


async def main(url, token):
    async with Judge0Client(url, auth_token=token) as client:
        request = SingleFileSubmission(source_code=SOURCE, language_id=71, stdin="in")
        created = await client.create_submission(request)
        detail = await client.get_submission(created.token)
        while detail.status.id <= 2:
            await asyncio.sleep(0.05)
            detail = await client.get_submission(created.token)
        about = await client.get_about()
        workers = await client.get_workers()
    async with Judge0Client(url, auth_token="wrong-" + token) as client:
        try:
            await client.get_about()
            refused = None
        except Judge0Error as error:
            refused = str(error)
    return {
        "detail": detail.model_dump(),
        "about": about.model_dump(),
        "workers": [worker.model_dump() for worker in workers],
        "refused": refused,
    }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
