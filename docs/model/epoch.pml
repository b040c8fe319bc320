/* The epoch protocol: Promela, checked by Spin. scripts/model runs it; README.md tells which inline
 * stands for which function of the code.
 *
 * One step (a d_step) is what nobody else can see the middle of: it has one action on what workers
 * share (an inbox, a mark, a wake queue, a lane, the stage), and what the home worker does to its
 * own before and after. A turn is one step with its local effects; each remote one is three: link,
 * mark, queue. Which ready actor is next is free, which covers every order of the ready queue.
 *
 * Not in it: memory orders (every step is sequentially consistent), sleeping and waking, bounds of
 * mailboxes, replay within a cut. M_... are the mutants: each leaves one rule out.
 */
#include "scenarios.pml"

#define HAS(set, i) (((set) >> (i)) & 1)
#define EQ(m, a) ((AT(TO, m) == (a)) << (m))
/* All messages to `a`. */
#define TOM(a) \
  (EQ(0, a) | EQ(1, a) | EQ(2, a) | EQ(3, a) | EQ(4, a) | EQ(5, a) | EQ(6, a) | EQ(7, a))
#define LOWEST(s) \
  ((s) & 1 -> 0 : ((s) & 2 -> 1 : ((s) & 4 -> 2 : ((s) & 8 -> 3 : \
  ((s) & 16 -> 4 : ((s) & 32 -> 5 : ((s) & 64 -> 6 : 7)))))))

#define NAME(a) (65 + (a))
#define ALL (B(NW) - 1)
#define CLOSED 0
#define FLIP 1
#define DRAIN 2
#define SETTLE 3 /* every worker has forwarded what stood in its lane; now the wake queues */
#define SWEEP 4
#define WRITING 5
#define KEEP 6
#define GIVE_UP 7

/* The world. */
byte now = 1;          /* now_epoch */
byte phase = CLOSED;   /* stage */
byte done = ALL;       /* who has done the stage: stage_waits */
byte announced[2];     /* outside sends under way, by the parity of their stamp */

/* Workers. */
byte seen[NW] = 1;
byte open = 0;         /* sets of workers */
byte begun = 0;        /* sweep_begun */
byte outbox[NW];       /* effects of the turn that ends, still to leave */
chan wakes[NW] = [NA] of { byte };
#if THREADS
chan lane[NW] = [NM] of { byte };
#endif

/* Actors. */
#define NOWHERE 0
#define TOUCHED 1
#define SWEEPING 2
#define SWEPT 3
byte home[NA];
byte at[NA] = 1;
byte listed[NA];       /* in which list of its home */
byte touched_in[NA];
byte stopped_in[NA];
byte born_in[NA];
byte awaits[NA];       /* answers that its suspended handler waits for */
byte again = 0;        /* touched_again; sets of actors from here */
byte changed = 0;
byte stopped = 0;
byte mark = 0;         /* box.queued */
byte moving = 0;
byte moved = 0;
chan incoming[NA] = [NM] of { byte };
chan queue[NA] = [NM] of { byte };

/* Messages. */
byte sent[8];          /* the epoch of the turn that sent it, 0: not sent */
byte recorded[8];      /* the snapshot that holds it */
byte inbox = 0;        /* in a queue or in replies; sets of messages from here */
byte handled = 0;
byte dead = 0;
byte timers = 0;       /* armed, pending */

hidden byte i_, k_, s_, v_, c_, m_, t_;

#define PERSISTENT(a) (!HAS(EPHEMERAL, a))
#define REPLY_OF(a) (inbox & REPLIES & TOM(a))
/* The actor stands in the ready queue of its home. A suspended handler lets only answers in. */
#define READY(w, a) \
  (home[a] == w && !HAS(moving, a) && \
   (REPLY_OF(a) || (nempty(queue[a]) && (awaits[a] == 0 || HAS(stopped, a)))))
#ifdef M_CUT_WAITS_FOR_HANDLER
#define CAN_CUT(w, a) (at[a] >= seen[w] || awaits[a] == 0)
#else
#define CAN_CUT(w, a) 1
#endif
/* Between turns: the effects of the last one have left. */
#define FREE(w) (outbox[w] == 0)

#include "snapshot.pml"

/* ---- a worker's part (cutter) ---- */

inline acknowledge(w, flipped)
{
  if
  :: seen[w] < flipped ->
     seen[w] = flipped;
     open = open | B(w);
     begun = begun & ~B(w);
     printf("#   W%d is in epoch %d now\n", w, seen[w])
  :: else
  fi
}

/* A message of an epoch that this worker has not seen yet brings it along. */
inline follow(w, m)
{
#ifndef M_NO_CUT_FIRST
  acknowledge(w, sent[m])
#else
  skip
#endif
}

/* What is listed between a flip and the sweep's beginning will be visited by that sweep. */
inline list(w, a)
{
#ifdef M_EARLY_TOUCH_FORGOTTEN
  again = again & ~B(a);
#else
  if
  :: HAS(open, w) && !HAS(begun, w) -> again = again | B(a)
  :: else -> again = again & ~B(a)
  fi;
#endif
  touched_in[a] = seen[w];
  listed[a] = TOUCHED
}

inline touch(w, a)
{
  if
  :: listed[a] == NOWHERE ->
     if
     :: at[a] < seen[w] -> at[a] = seen[w]
     :: else
     fi;
     list(w, a)
  :: else ->
     if
     :: touched_in[a] < seen[w] -> again = again | B(a)
     :: else
     fi
  fi
}

inline bring(w, a)
{
  if
  :: at[a] < seen[w] ->
     if
     :: listed[a] != NOWHERE && HAS(open, w) -> write_cut(a)
     :: else
     fi;
     at[a] = seen[w]
  :: else
  fi
}

#ifdef M_NO_TOMBSTONE
#define TOMB_RECORDS(w, a) 0
#else
#define TOMB_RECORDS(w, a) (stopped_in[a] >= seen[w])
#endif
#define IS_LATE(w, a, m) \
  (HAS(open, w) && sent[m] < seen[w] && recorded[m] == 0 && PERSISTENT(a) && \
   (!HAS(stopped, a) || TOMB_RECORDS(w, a)))

inline meet(w, a, m)
{
  check_newborn(a, m);
  follow(w, m);
  touch(w, a);
#ifdef M_NO_CUT_AFTER_ACK
  if
  :: sent[m] >= seen[w] -> bring(w, a)
  :: else
  fi;
#else
  bring(w, a);
#endif
#ifndef M_LATE_NOT_MET
  if
  :: IS_LATE(w, a, m) -> record_mail(w, m)
  :: else
  fi
#endif
}

inline begin_sweep(w)
{
  begun = begun | B(w);
  printf("# W%d begins to sweep\n", w);
  c_ = 0;
  do
  :: c_ < NA ->
     if
     :: home[c_] == w && listed[c_] == TOUCHED -> listed[c_] = SWEEPING
     :: else
     fi;
     c_++
  :: else -> break
  od
}

/* Visits one actor. Where not `whole`, the slice ends behind the first late message. */
inline visit(w, a, whole)
{
  printf("# W%d visits %c\n", w, NAME(a));
#if defined(M_SWEEP_UNCUT_ONLY)
  t_ = (at[a] < seen[w]);
#elif defined(M_SWEEP_CUTS_ONLY)
  t_ = 0;
#else
  t_ = 1;
#endif
  bring(w, a);
  v_ = 0;
  do
  :: v_ < NM && t_ ->
     if
     :: HAS(inbox & TOM(a), v_) && IS_LATE(w, a, v_) ->
        record_mail(w, v_);
        if
        :: !(whole) -> break
        :: else
        fi
     :: else
     fi;
     v_++
  :: else -> break
  od;
  if
  :: (whole) || v_ == NM -> listed[a] = SWEPT
  :: else
  fi
}

inline close_snapshot(w)
{
  printf("# W%d closes its part of the snapshot\n", w);
  open = open & ~B(w)
}

/* Looks whether one actor is clean. */
inline keep(w, a)
{
  printf("# W%d sees whether %c is clean\n", w, NAME(a));
#ifdef M_TOUCHED_AGAIN_FORGOTTEN
  again = again & ~B(a); listed[a] = NOWHERE
#else
  if
  :: HAS(again, a) -> list(w, a)
  :: else -> listed[a] = NOWHERE
  fi
#endif
}

inline splice_back(w)
{
  printf("# W%d splices its lists back\n", w);
  c_ = 0;
  do
  :: c_ < NA ->
     if
     :: home[c_] == w && listed[c_] != NOWHERE ->
#ifdef M_NOT_SPLICED_BACK
        if
        :: listed[c_] != TOUCHED -> listed[c_] = NOWHERE
        :: else
        fi;
#else
        if
        :: listed[c_] != TOUCHED -> list(w, c_)
        :: else
        fi;
#ifndef M_CHANGED_NOT_SAID_AGAIN
        changed = changed | B(c_);
#endif
#ifndef M_RECORDED_FOR_EVER
        v_ = 0;
        do
        :: v_ < NM ->
           if
           :: HAS(inbox & TOM(c_), v_) && recorded[v_] == seen[w] - 1 -> recorded[v_] = 0
           :: else
           fi;
           v_++
        :: else -> break
        od;
#endif
#endif
        skip
     :: else
     fi;
     c_++
  :: else -> break
  od;
  open = open & ~B(w)
}

/* ---- how messages reach mailboxes (delivery) ---- */

inline arrive(w, a)
{
  if
  :: HAS(moving, a) ->
     moving = moving & ~B(a);
     printf("#   %c is at home at W%d now\n", NAME(a), w);
#ifndef M_LINK_STAYS_BEHIND
     list(w, a)
#else
     again = again & ~B(a)
#endif
  :: else
  fi
}

inline enqueue(w, a, m)
{
#ifndef M_ARRIVAL_UNSEEN
  follow(w, m);
#endif
  touch(w, a);
  if
  :: sent[m] == 0 -> sent[m] = at[a] /* of a mutant: without an epoch of its own */
  :: else
  fi;
  if
  :: HAS(REPLIES, m)
  :: else -> queue[a]!m
  fi;
  inbox = inbox | B(m);
  printf("#   m%d of epoch %d stands in %c's mailbox at W%d\n", m, sent[m], NAME(a), w)
}

inline take_incoming(w, a)
{
  arrive(w, a);
  do
  :: nempty(incoming[a]) -> incoming[a]?i_; enqueue(w, a, i_)
  :: empty(incoming[a]) -> break
  od;
  i_ = 0
}

inline send_here(w, m)
{
  t_ = AT(TO, m);
  outbox[w] = outbox[w] & ~B(m);
  take_incoming(w, t_);
  enqueue(w, t_, m)
}

#include "turns.pml"
#include "processes.pml"
