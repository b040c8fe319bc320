/* Who runs: the workers, the coordinator, threads outside. */

inline enter(next)
{
  phase = next;
  done = 0
}

/* The last one moves the epoch on. The coordinator's look in between would be seen by nobody: it is
 * as if the others took part a little later. */
inline count_down(w)
{
  done = done | B(w);
  if
  :: done == ALL && phase == DRAIN ->
#ifdef M_DRAINED_ONCE
     enter(SWEEP)
#else
     enter(SETTLE)
#endif
  :: done == ALL && phase == SETTLE -> enter(SWEEP)
  :: done == ALL && phase == SWEEP -> phase = WRITING
  :: done == ALL && (phase == KEEP || phase == GIVE_UP) -> phase = CLOSED
  :: else
  fi
}

#define ASKED(w) (!HAS(done, w))
#if THREADS
#define LANE_EMPTY(w) empty(lane[w])
#else
#define LANE_EMPTY(w) 1
#endif
#define DRAINED(w) (LANE_EMPTY(w) && empty(wakes[w]))

#ifdef M_NOT_DRAINED
#define DRAINED_WAKES(w) 1
#define AFTER_FLIP SWEEP
#else
#define DRAINED_WAKES(w) empty(wakes[w])
#define AFTER_FLIP DRAIN
#endif
#ifdef M_OUTSIDE_UNANNOUNCED
#define UNANNOUNCED 1
#else
#define UNANNOUNCED 0
#endif

#define TURN(a) \
  :: d_step { FREE(w) && READY(w, a) && CAN_CUT(w, a) -> advance(w, a); skip }
#define SLICE(a) \
  :: d_step { FREE(w) && phase == SWEEP && ASKED(w) && HAS(begun, w) && home[a] == w && \
              listed[a] == SWEEPING && CAN_CUT(w, a) -> visit(w, a, 1); skip }
#define PART_SLICE(a) \
  :: d_step { FREE(w) && phase == SWEEP && ASKED(w) && HAS(begun, w) && home[a] == w && \
              listed[a] == SWEEPING && at[a] == seen[w] -> visit(w, a, 0); skip }
#define GIVE(a) \
  :: d_step { FREE(w) && GIVABLE(w, a) -> give_away(a, 1 - w); x = a }; \
     d_step { wakes[home[x]]!x; x = 0 }
#define KEEP_SLICE(a) \
  :: d_step { FREE(w) && phase == KEEP && ASKED(w) && !HAS(open, w) && home[a] == w && \
              listed[a] == SWEPT -> keep(w, a); skip }
#define LISTED(w, a, where) (home[a] == w && listed[a] == where)
#if NA == 2
#define EACH_ACTOR(what) what(0) what(1)
#define NONE_IS(w, where) (!LISTED(w, 0, where) && !LISTED(w, 1, where))
#else
#define EACH_ACTOR(what) what(0) what(1) what(2)
#define NONE_IS(w, where) (!LISTED(w, 0, where) && !LISTED(w, 1, where) && !LISTED(w, 2, where))
#endif
#define NEXT(w) LOWEST(outbox[w])
#define TARGET(w) AT(TO, NEXT(w))

proctype worker(byte w)
{
  byte x;
end_worker:
  do
  /* the stages: engine::take_part */
  :: d_step { FREE(w) && phase == FLIP && ASKED(w) ->
              acknowledge(w, now); count_down(w) }
  :: d_step { FREE(w) && (phase == DRAIN || phase == SETTLE) && ASKED(w) && DRAINED(w) ->
              count_down(w) }
  :: d_step { FREE(w) && phase == SWEEP && ASKED(w) && !HAS(begun, w) && DRAINED_WAKES(w) ->
#ifdef M_NO_GRACE
              acknowledge(w, now);
#endif
              begin_sweep(w); skip }
  EACH_ACTOR(SLICE)
#ifdef SLICES
  EACH_ACTOR(PART_SLICE)
#endif
  :: d_step { FREE(w) && phase == SWEEP && ASKED(w) && HAS(begun, w) && NONE_IS(w, SWEEPING) ->
              count_down(w) }
  :: d_step { FREE(w) && phase == KEEP && ASKED(w) && HAS(open, w) -> close_snapshot(w); skip }
  EACH_ACTOR(KEEP_SLICE)
  :: d_step { FREE(w) && phase == KEEP && ASKED(w) && !HAS(open, w) && NONE_IS(w, SWEPT) ->
              count_down(w) }
  :: d_step { FREE(w) && phase == GIVE_UP && ASKED(w) -> splice_back(w); count_down(w) }

  /* turns */
  EACH_ACTOR(TURN)
#if TIMER
  :: d_step { FREE(w) && HAS(timers, LOWEST(TIMER)) && home[AT(TO, LOWEST(TIMER))] == w ->
              fire(w, LOWEST(TIMER)); skip }
#endif

  /* effects for other workers leave, and what came by the lane: delivery::send, push */
  :: d_step { !FREE(w) && home[TARGET(w)] == w -> m_ = NEXT(w); send_here(w, m_); m_ = 0 }
  :: d_step { !FREE(w) && home[TARGET(w)] != w ->
              m_ = NEXT(w); x = TARGET(w); incoming[x]!m_; outbox[w] = outbox[w] & ~B(m_);
              printf("# W%d links m%d of epoch %d to %c\n", w, m_, sent[m_], NAME(x));
              m_ = 0 };
     if
     :: d_step { HAS(mark, x) -> printf("# W%d finds %c marked\n", w, NAME(x)); x = 0 }
     :: d_step { !HAS(mark, x) -> mark = mark | B(x); printf("# W%d marks %c\n", w, NAME(x)) };
        d_step { wakes[home[x]]!x; printf("# W%d queues %c at W%d\n", w, NAME(x), home[x]); x = 0 }
     fi

  /* take_wakes: the mark is cleared before the drain */
  :: d_step { FREE(w) && nempty(wakes[w]) ->
              wakes[w]?x; printf("# W%d takes %c from its wake queue\n", w, NAME(x));
#ifndef M_MARK_CLEARED_AFTER_DRAIN
              mark = mark & ~B(x)
#endif
     };
#ifdef M_MARK_CLEARED_AFTER_DRAIN
     d_step { take_incoming(w, x); skip };
     d_step { mark = mark & ~B(x); x = 0 }
#else
     d_step { take_incoming(w, x); x = 0 }
#endif

#if THREADS
  /* intake::take */
  :: d_step { FREE(w) && nempty(lane[w]) ->
              lane[w]?m_; printf("# W%d takes m%d from its lane\n", w, m_);
              follow(w, m_); outbox[w] = B(m_); m_ = 0 }
#endif
#if MOVES
  EACH_ACTOR(GIVE)
#endif
  od
}

/* Flips, waits for grace, and lets the writer decide. */
proctype coordinator()
{
  byte n = 1;
  do
  :: n <= EPOCHS ->
     d_step { forget_open(); now = n + 1; enter(FLIP);
              printf("# flip: the system's epoch is %d\n", now) };
#ifdef M_NO_GRACE
     d_step { done != 0 -> enter(SWEEP) };
#else
     d_step { done == ALL && (announced[n % 2] == 0 || UNANNOUNCED) -> 
              enter(AFTER_FLIP); printf("# grace: every worker has acknowledged\n") };
#endif
     if
     :: d_step { phase == WRITING ->
                 printf("# snapshot %d is committed\n", n); check_snapshot(n); enter(KEEP) }
#ifdef ABANDON
     :: d_step { phase == WRITING -> printf("# snapshot %d is abandoned\n", n); enter(GIVE_UP) }
#endif
     fi;
     d_step { phase == CLOSED -> n++ }
  :: else -> break
  od;
  /* Every epoch has ended. When nothing can happen any more, everything sent has been handled. */
  timeout ->
  d_step {
    v_ = 0;
    do
    :: v_ < NM ->
       stranded = (sent[v_] != 0 && !HAS(handled | dead, v_));
       wrong_message(stranded);
       v_++
    :: else -> break
    od;
    skip
  }
}

#if THREADS
/* engine::send_from_outside */
proctype outside()
{
  byte m = FIRST, stamp;
  do
  :: m <= LAST ->
     if
     :: !HAS(AWAITS, m) || HAS(handled, m - 1) -> stamp = now
     fi;
     do
     :: d_step { announced[stamp % 2]++ };
        if
#ifdef M_EPOCH_NOT_READ_AGAIN
        :: break
#else
        :: d_step { now == stamp } -> break
        :: d_step { now != stamp ->
#ifndef M_ANNOUNCEMENT_STAYS
                    announced[stamp % 2]--;
#endif
                    stamp = now }
#endif
        fi
     od;
     atomic {
       sent[m] = stamp;
#ifdef M_OUTSIDE_IN_RECEIVERS_EPOCH
       sent[m] = 0;
#endif
       printf("# the thread puts m%d of epoch %d into a lane\n", m, stamp);
       lane[AT(LANE, AT(TO, m))]!m
     };
     d_step { announced[stamp % 2]--; stamp = 0; m++ }
  :: else -> break
  od
}
#endif

init
{
  d_step {
    c_ = 0;
    do
    :: c_ < NA ->
       home[c_] = AT(HOME, c_);
       if
       :: AT(BORN, c_) == INIT && PERSISTENT(c_) -> kept_actors = kept_actors | B(c_)
       :: else
       fi;
       c_++
    :: else -> break
    od;
    v_ = 0;
    do
    :: v_ < NM ->
       if
       :: AT(CAUSE, v_) == INIT -> sent[v_] = 1; t_ = AT(TO, v_); enqueue(home[t_], t_, v_)
       :: else
       fi;
       v_++
    :: else -> break
    od;
    t_ = 0; v_ = 0; c_ = 0
  };
  atomic {
    v_ = 0;
    do
    :: v_ < NW -> run worker(v_); v_++
    :: else -> break
    od;
    run coordinator();
#if THREADS
    run outside();
#endif
    v_ = 0
  }
}
