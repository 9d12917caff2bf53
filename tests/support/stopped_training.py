"""The training program, stopped at a step: `python -m support.stopped_training …` with two environment variables.

STOP_AT is the step. STOP_BY is `kill` (the first process, by SIGKILL, when a state of that step is on the disk) or
`term` (SIGTERM to who is in charge: the launcher of several processes, or the only one).
"""

import os
import signal
import threading

from samizdat.base import stage
from samizdat.models.loop import TrainingLoop
from samizdat.models.state import StateWriter
from samizdat.models.train_model import train_model

AT, BY = int(os.environ["STOP_AT"]), os.environ["STOP_BY"]
SEVERAL = "RANK" in os.environ
FIRST = os.environ.get("RANK", "0") == "0"
save, learn = StateWriter.save, TrainingLoop._learn


def save_and_die(self, learner, position):
    save(self, learner, position)
    self.wait()
    if FIRST and BY == "kill" and position.step == AT:
        os.kill(os.getpid(), signal.SIGKILL)


def learn_and_ask(self):
    learned = learn(self)
    if FIRST and BY == "term" and self.position.step == AT:
        handler, arrived = signal.getsignal(signal.SIGTERM), threading.Event()
        signal.signal(signal.SIGTERM, lambda *arguments: (handler(*arguments), arrived.set()))
        os.kill(os.getppid() if SEVERAL else os.getpid(), signal.SIGTERM)
        assert arrived.wait(60)  # a launcher passes it on when it comes to it
    return learned


StateWriter.save, TrainingLoop._learn = save_and_die, learn_and_ask

if __name__ == "__main__":
    stage.run(train_model)
