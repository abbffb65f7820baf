"""A site's part: lays each question before latentdp, and carries its answer back.

The folder is the steward's choice (LATENTDP_ROUNDS in the environment), as are the cohort, the
budget and all else: ``latentdp federate answer`` runs beside it, with its own account if you like.
Nothing that the coordinator sends chooses a path, a command or an option.
"""

from __future__ import annotations

import os
from pathlib import Path

from nvflare.apis.executor import Executor
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.apis.signal import Signal

from latentdp_rounds.exchange import (
    CONTENT,
    ROUND,
    TASK,
    answer_file,
    question_file,
    text_of,
    wait_for,
    write_whole,
)

__all__ = ["FOLDER", "Carrier"]

FOLDER = "LATENTDP_ROUNDS"


class Carrier(Executor):
    """Carries files; it takes no arguments, so a job cannot give it any."""

    def execute(
        self, task_name: str, shareable: Shareable, fl_ctx: FLContext, abort_signal: Signal
    ) -> Shareable:
        """Answers a round, or says that it does not."""
        if task_name != TASK:
            return make_reply(ReturnCode.TASK_UNKNOWN)
        try:
            folder = Path(os.environ[FOLDER])
            number = shareable.get(ROUND)
            question, answer = question_file(folder, number), answer_file(folder, number)
            text = text_of(shareable.get(CONTENT))
        except (KeyError, ValueError) as error:
            self.log_error(fl_ctx, f"refused: {error}")
            return make_reply(ReturnCode.BAD_TASK_DATA)
        write_whole(question, text)
        said = wait_for(answer, lambda: abort_signal.triggered)
        if said is None:
            return make_reply(ReturnCode.TASK_ABORTED)
        reply = make_reply(ReturnCode.OK)
        reply[ROUND], reply[CONTENT] = number, said
        return reply
