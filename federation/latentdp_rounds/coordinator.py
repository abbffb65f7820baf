"""The coordinator's part: sends what ``latentdp federate ask`` asks, and lays down the answers.

It goes on from the folder of the rounds (LATENTDP_ROUNDS), so a job that was stopped is submitted
again and asks the round that was open; sites that answered it send the same answer.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from nvflare.apis.controller_spec import ClientTask, Task
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.fl_context import FLContext
from nvflare.apis.impl.controller import Controller
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from latentdp_rounds.exchange import ANSWER, CONTENT, ROUND, TASK, text_of, write_whole
from latentdp_rounds.site import FOLDER

__all__ = ["PROGRAM", "Rounds"]

PROGRAM = "LATENTDP"  # path of the installed command


class Rounds(Controller):
    """All rounds, with the sites that are left in each.

    Args:
        wait: Seconds that a round waits for its sites, at most.
        grace: Seconds that it waits for the others once ``enough`` have answered.
        enough: Answers without which a round does not end before ``wait``.
    """

    def __init__(self, wait: int = 3600, grace: int = 60, enough: int = 2) -> None:
        super().__init__()
        self._wait, self._grace, self._enough = wait, grace, enough
        self._round, self._asked = 0, Path()

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Nothing to prepare."""

    def stop_controller(self, fl_ctx: FLContext) -> None:
        """Nothing to put away: all stands in the folder."""

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """Asks until latentdp has no more questions."""
        folder = Path(os.environ[FOLDER])
        before = 0
        while not abort_signal.triggered:
            said = _ask(folder)
            if said["question"] is None:
                self.log_info(fl_ctx, f"all rounds are done: {said['classifier']}")
                return
            self._round, self._asked = said["round"], Path(said["question"])
            if self._round == before:
                self.system_panic(f"no site answered round {before}", fl_ctx)
                return
            before = self._round
            self._carry(abort_signal, fl_ctx)

    def _carry(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        question = Shareable()
        question[ROUND] = self._round
        question[CONTENT] = self._asked.read_text(encoding="utf-8")
        task = Task(
            name=TASK, data=question, timeout=self._wait, result_received_cb=self._received
        )
        self.broadcast_and_wait(
            task=task,
            fl_ctx=fl_ctx,
            min_responses=self._enough,
            wait_time_after_min_received=self._grace,
            abort_signal=abort_signal,
        )

    def _received(self, client_task: ClientTask, fl_ctx: FLContext) -> None:
        """Lays an answer down; latentdp judges it."""
        name, result = client_task.client.name, client_task.result
        if result.get_return_code() != ReturnCode.OK or result.get(ROUND) != self._round:
            self.log_warning(fl_ctx, f"{name} did not answer round {self._round}")
            return
        try:
            text = text_of(result.get(CONTENT))
        except ValueError as error:
            self.log_warning(fl_ctx, f"{name}: {error}")
            return
        # Names are those of certificates, which the coordinator's own tool made.
        write_whole(self._asked.parent / f"{name}.{ANSWER}.json", text)
        self.log_info(fl_ctx, f"{name} answered round {self._round}")

    def process_result_of_unknown_task(
        self,
        client: object,
        task_name: str,
        client_task_id: str,
        result: Shareable,
        fl_ctx: FLContext,
    ) -> None:
        """An answer that came after its round was closed."""
        self.log_warning(fl_ctx, "an answer came too late and is left out")


def _ask(folder: Path) -> dict:
    """What latentdp says: the question to send, or that there are no more.

    Raises:
        RuntimeError: It refused.
    """
    done = subprocess.run(
        [os.environ[PROGRAM], "federate", "ask", str(folder), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return json.loads(done.stdout)
