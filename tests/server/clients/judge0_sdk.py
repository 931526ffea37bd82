"""The client "judge0" of PyPI, Judge0's own: test cases, files beside the source, a compiled program."""

import json

import judge0
from judge0 import Filesystem, File, Submission, TestCase

ADD = "a, b = map(int, input().split())\nprint(a + b)\n"
CASES = [TestCase("1 2", "3"), TestCase("2 2", "5"), TestCase("x", "1")]
READ = Submission(
    source_code="print(open('note.txt').read(), end='')",
    language=judge0.PYTHON,
    additional_files=Filesystem(content=[File(name="note.txt", content="beside")]),
)
C_PROGRAM = '#include <stdio.h>\nint main(int n, char **v) { printf("%d %s\\n", n, v[1]); return 4; }'


def told(submission):
    return {
        "status": submission.status.name,
        "stdout": submission.stdout,
        "exit_code": submission.exit_code,
        "compile_output": submission.compile_output,
    }


def run(source, language, **options):
    return judge0.run(submissions=Submission(source_code=source, language=language, **options))


client = judge0.get_client(judge0.CE)
cases = judge0.run(submissions=Submission(source_code=ADD, language=judge0.PYTHON), test_cases=CASES)
print(json.dumps({
    "about": client.get_about(),
    "languages": [language.model_dump() for language in client.get_languages()],
    "statuses": client.get_statuses(),
    "batch": client.config.max_submission_batch_size,
    "cases": [told(submission) for submission in cases],
    "beside": told(judge0.run(submissions=READ)),
    "c": told(run(C_PROGRAM, judge0.C, command_line_arguments="word")),
    "wrong": told(run("int main(void) { return x; }", judge0.C)),
    "slow": told(run("while True: pass", judge0.PYTHON, cpu_time_limit=0.5)),
}))
