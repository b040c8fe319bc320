"""Flights jobs from an empty store to their end, killed on the way at moments of every kind."""
import shutil
import time

from job import Job, outputs, require

# When a run is killed: a random while after what is named here.
EARLY = ("opening",   # its first moment
         "starting",  # its first line
         "middle")    # a random part of the input is read, and some of that committed
LATE = ("ending",     # the last event
        "over")       # the word that it is done
AGAIN = "again"       # its first moment, where the job is done

PHASES = ("before it had a store", "while it opened its store", "before any progress",
          "under way", "after the last event", "after it said that it was done",
          "started again though it was done")


class Paces:
    """How long a run takes to get to its first line, and from a late moment to the end."""

    def __init__(self, job):
        """Measures a run that has ended undisturbed."""
        require(job.done and job.all_read, f"not a run from start to end: {job.tail()}")
        end = job.ended_at
        self.opening = self.again = job.times[0]
        self.starting = 0.02
        self.middle = 0.05  # it says as often how far it is
        self.ending = end - job.all_read_at
        self.over = end - job.times[-1]


class Life:
    """What is known of a job from what its runs have said, and must hold in the next one."""

    def __init__(self, chance, paces):
        self.chance, self.paces = chance, paces
        self.position = self.epoch = 0  # resumed from last; seen committed
        self.at = 0  # how far it was read, as it said last
        self.saved = self.all_read = self.done = False
        self.resumes = []  # what each run said of it

    def share(self, total, moments):
        """What is left to read for each of these kills: as events, or as events per second.

        Read at that rate all early ones come before the end, however slow the machine is.
        """
        early = sum(each in EARLY for each in moments)
        return (total - self.at) // (early + 1) if early else 0

    def kill(self, moment, job, share):
        """Kills at that kind of moment; gives the phase it was in, None if it had ended before."""
        # Rather soon than late: at first much happens in a short time, and the end comes early
        # where the machine was slower when the pace was measured.
        delay = getattr(self.paces, moment) * self.chance.random() ** 3
        if moment == "opening" and not self.at:
            delay /= 10  # the store is made soon
        elif moment == "starting":
            job.until(lambda: job.lines, "a line")
        elif moment == "middle":
            events = 1.5 * share * self.chance.random()
            job.until(lambda: job.saved and job.progress[0] >= job.start + events, "a commit")
        elif moment == "ending":
            job.reach(lambda: job.all_read)
        elif moment == "over":
            job.reach(lambda: job.done)
        time.sleep(delay)
        had_store = job.store.exists()
        struck = job.strike()
        phase = self.phase(job, had_store)
        self.learn(job)
        return phase if struck else None

    def phase(self, job, had_store):
        if job.was_done or (self.done and not job.lines):
            return PHASES[6]
        if not job.lines:
            return PHASES[1 if had_store else 0]
        if job.done:
            return PHASES[5]
        if job.all_read:
            return PHASES[4]
        return PHASES[3 if job.progress[0] > job.start else 2]

    def learn(self, job):
        """Compares what a run said with what is known of the runs before, and adds to that."""
        if not job.lines:  # killed before it could say anything
            return
        first = job.lines[0]
        if job.was_done:
            require(self.all_read, f"done before all was read: {first}")
        else:
            require(not self.done, f"was done, then: {first}")
        if job.resumed:
            epoch, position, total, *_ = job.resumed
            require(epoch >= self.epoch, f"epoch {self.epoch} was committed, then: {first}")
            require(self.position <= position <= total, f"was at {self.position}, then: {first}")
            require(not self.saved or position > self.position,
                    f"was beyond {self.position}, then: {first}")
            require(self.all_read or position < total, f"beyond what was read: {first}")
            self.position = position
            self.resumes.append(job.resumed)
        elif not job.was_done:
            require(self.epoch == 0, f"epoch {self.epoch} was committed, then: {first}")
        self.at = max(self.position, job.progress[0])
        self.saved = job.saved
        self.epoch = max(self.epoch, job.progress[1])
        self.all_read |= job.all_read
        self.done |= job.done or job.was_done


class Lives:
    """Jobs killed from their first moment to their last, one after the other."""

    REPEAT = 8

    def __init__(self, chance, folder, source, expected):
        """Preconditions: the job that was started last has run undisturbed."""
        self.chance, self.folder, self.source, self.expected = chance, folder, source, expected
        self.paces = Paces(Job.all[-1])
        self.phases, self.resumes, self.jobs = dict.fromkeys(PHASES, 0), [], 0

    def kills(self):
        return sum(self.phases.values())

    def held(self, place):
        """How many of the snapshots that were resumed from held what the line has there."""
        return sum(each[place] > 0 for each in self.resumes)

    def missing(self):
        """What no kill has met yet; empty: nothing."""
        counts = list(self.phases.values())
        met = {"messages in flight": self.held(4), "a suspended handler": self.held(5),
               "an early phase": sum(counts[:3]), "the middle": counts[3],
               "a late phase": sum(counts[4:])}
        return [what for what, count in met.items() if not count]

    def plan(self, left):
        """The moments at which one job is killed, at most as many as are left."""
        early = ["starting", "middle", "middle"]
        if left >= 20 or left == 12:
            early += ["opening", *early]
        self.chance.shuffle(early)
        return ["opening", *early, "ending", *LATE, AGAIN][:left]

    def live(self, left):
        self.jobs += 1
        folder, life = self.folder / f"killed{self.jobs}", Life(self.chance, self.paces)
        folder.mkdir()

        def start(rate):
            return Job(folder, self.source, "--repeat", self.REPEAT, "--rate", rate,
                       "--epoch-ms", self.chance.choice((1, 5, 20)),
                       "--workers", self.chance.choice((1, 2, 4)))

        plan = self.plan(left)
        for number, moment in enumerate(plan):
            if life.done and moment != AGAIN:
                continue  # a late kill came too late
            share = life.share(20000 * self.REPEAT, plan[number:])
            if phase := life.kill(moment, start(share), share):
                self.phases[phase] += 1
        start(0).end()
        life.learn(Job.all[-1])
        require(outputs(folder) == self.expected,
                f"job {self.jobs}: the outputs differ from those of an undisturbed run")
        self.resumes += life.resumes
        shutil.rmtree(folder)
