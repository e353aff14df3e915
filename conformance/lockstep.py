"""A proxy that gives calls a time of their own: it answers in rounds.

What is asked while nothing is answered belongs to one round; when nobody asks any more, all of it is answered at once. So each
call takes one round, however fast or slow the machine is, and what began in the round in which another ended has waited for it
or could have.
"""

import time

from proxy import Proxy


class Lockstep(Proxy):
    def __init__(self, moto, quiet=0.6):
        self.quiet = quiet  # seconds without a question after which a round is over
        super().__init__(moto)

    def begin(self, *args):
        super().begin(*args)
        self.ends, self.waiting, self.asked = [], 0, time.monotonic()

    def run(self, *args, **more):
        """Like that of a proxy. The result has the ends of the rounds, in seconds since 1970."""
        ends = []
        self.keep = ends
        done = super().run(*args, **more)
        done.rounds = ends
        return done

    def relay(self, request):
        self.asked = time.monotonic()
        super().relay(request)

    def meet(self, *args):
        answer = super().meet(*args)
        with self.changed:
            round_now = len(self.ends)
            self.waiting += 1
            while len(self.ends) == round_now:
                left = self.asked + self.quiet - time.monotonic()
                if left <= 0 and self.waiting == self.flying:
                    self.ends.append(time.time())
                    self.keep.append(self.ends[-1])
                    self.waiting = 0
                    self.changed.notify_all()
                else:
                    self.changed.wait(max(left, 0.02))
        return answer
