"""A process of its own that does jobs: `python -m pipeline.image_features.worker`.

One line of JSON comes in for the plan and one per chunk of jobs. Lines go out as pictures become
safe (`{"done": 12}`), and one ends each chunk (`{"failures": [...]}`); `{"error": "..."}` ends all.
"""

import json
import os
import signal
import sys
from typing import Any

from pipeline.core.errors import InputError
from pipeline.image_features.work import Job, Worker, WorkPlan


def main() -> None:
    """Do what standard input asks for until it ends."""
    # An interrupt of the terminal reaches every process; the parent ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What a library prints must not get between the replies.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def reply(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    try:
        worker = Worker(WorkPlan(**json.loads(sys.stdin.readline())))
        for line in sys.stdin:
            jobs = [Job(*values) for values in json.loads(line)]
            reply({"failures": worker.run(jobs, lambda done: reply({"done": done}))})
    except InputError as error:
        reply({"error": str(error)})
    except BrokenPipeError:
        # The parent was killed; what is stored stays.
        os._exit(1)


if __name__ == "__main__":
    main()
