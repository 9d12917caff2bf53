"""Run the training program and stop it at a step: `python -m support.stopped_training …`.

Two environment variables: STOP_AT is the step. STOP_BY is `kill` (SIGKILL to the first process, once the state of that
step is written) or `term` (SIGTERM to the launcher of several processes, or to the only process).
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
PARENT = int(os.environ.get("WARM_PARENT", os.getppid()))
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
        os.kill(PARENT if SEVERAL else os.getpid(), signal.SIGTERM)
        assert arrived.wait(60)  # the launcher passes the signal on after a while
    return learned


StateWriter.save, TrainingLoop._learn = save_and_die, learn_and_ask

if __name__ == "__main__":
    stage.run(train_model)
