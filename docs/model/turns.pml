/* Turns, timers, and actors that are given away. */

inline begin_life(w, parent, a)
{
#ifdef M_BORN_IN_SYSTEMS_EPOCH
  at[a] = now;
#else
  at[a] = at[parent];
#endif
  born_in[a] = at[a];
  changed = changed | B(a);
  home[a] = w;
  printf("#   %c is born in epoch %d\n", NAME(a), at[a]);
#ifndef M_BORN_UNLISTED
  touch(w, a)
#endif
}

/* What a turn wants to happen, and its local part at once. Messages for other workers follow one
 * by one; nobody can see that a local one went before. */
inline handle(w, a, m)
{
  changed = changed | B(a);
  handled = handled | B(m);
  printf("#   %c handles m%d in epoch %d\n", NAME(a), m, at[a]);
  if
  :: HAS(REPLIES, m) -> awaits[a]--
  :: else
  fi;
  s_ = 0;
  do
  :: s_ < NA ->
     if
     :: AT(BORN, s_) == m -> begin_life(w, a, s_)
     :: else
     fi;
     s_++
  :: else -> break
  od;
  s_ = 0;
  do
  :: s_ < NM ->
     if
     :: AT(CAUSE, s_) == m && HAS(TIMER, s_) -> timers = timers | B(s_)
     :: AT(CAUSE, s_) == m && !HAS(TIMER, s_) ->
        outbox[w] = outbox[w] | B(s_);
#ifdef M_STAMPED_WITH_SYSTEMS_EPOCH
        sent[s_] = now;
#else
        sent[s_] = at[a];
#endif
#ifdef M_EPHEMERAL_WITHOUT_EPOCH
        if
        :: !PERSISTENT(a) -> sent[s_] = 0
        :: else
        fi;
#endif
        if
        :: HAS(ASKS, s_) -> awaits[a]++
        :: else
        fi
     :: else
     fi;
     s_++
  :: else -> break
  od;
  if
  :: HAS(STOPS, m) ->
     printf("#   %c stops\n", NAME(a));
     stopped = stopped | B(a);
     stopped_in[a] = at[a]
  :: else
  fi;
  s_ = 0;
  do
  :: s_ < NM ->
     if
     :: HAS(outbox[w], s_) && home[AT(TO, s_)] == w -> send_here(w, s_)
     :: else
     fi;
     s_++
  :: else -> break
  od;
  s_ = 0
}

/* One activation with one turn: answers first. */
inline advance(w, a)
{
  printf("# W%d activates %c\n", w, NAME(a));
  take_incoming(w, a);
  if
  :: REPLY_OF(a) -> m_ = LOWEST(REPLY_OF(a))
  :: else -> queue[a]?m_
  fi;
#ifdef M_ANSWER_TAKEN_BEFORE_CUT
  inbox = inbox & ~B(m_);
#endif
  meet(w, a, m_);
  inbox = inbox & ~B(m_);
  if
  :: HAS(stopped, a) -> dead = dead | B(m_)
  :: else -> handle(w, a, m_)
  fi;
  m_ = 0
}

inline fire(w, m)
{
  t_ = AT(TO, m);
  printf("# W%d fires the timer of %c\n", w, NAME(t_));
  touch(w, t_);
#ifdef M_TIMER_REMOVED_BEFORE_CUT
  timers = timers & ~B(m);
  bring(w, t_);
#else
  bring(w, t_);
  timers = timers & ~B(m);
#endif
  changed = changed | B(t_);
  sent[m] = at[t_];
  enqueue(w, t_, m)
}

/* ---- balance ---- */

#ifdef M_DONATION_WHILE_OPEN
#define MAY_GIVE(w) 1
#else
#define MAY_GIVE(w) (!HAS(open, w))
#endif
#define GIVABLE(w, a) \
  (HAS(MOVES & ~moved & ~moving & ~stopped, a) && home[a] == w && MAY_GIVE(w) && !HAS(mark, a) && \
   (timers & TOM(a)) == 0)

/* From the mark to the new home: whoever comes in between finds the mark and leaves it at that. */
inline give_away(a, thief)
{
  printf("# W%d gives %c away\n", 1 - thief, NAME(a));
  mark = mark | B(a);
  moved = moved | B(a);
  listed[a] = NOWHERE;
  moving = moving | B(a);
  home[a] = thief
}
