/* What the store holds, and what must be true of every committed snapshot.
 *
 * An actor's record is the set of messages it had handled (its position and state), and its pending
 * timers; a message's record is that it waits. Records of older epochs stand until newer ones take
 * their place: an actor's new record ends those of messages that it has handled since, and those of
 * answers that were recorded before it (see store_index::mark).
 */
byte kept_actors = 0;   /* standing records of committed epochs */
byte kept_gone = 0;
byte kept_handled = 0;
byte kept_mail = 0;
byte kept_timers = 0;
byte cut_actors = 0;    /* written for the open snapshot */
byte cut_gone = 0;
byte cut_handled = 0;
byte cut_mail = 0;
byte cut_timers = 0;

hidden byte handled_, mail_, timers_, cause_, origin_, n_;
hidden byte sent_, through_, has_;
/* The properties, by the names in the checker's answers. */
hidden byte orphan, lost_message, twice, birth_missing, birth_too_early, thread_order, stranded;
hidden byte record_too_late, older_than_receiver;

/* An actor may come from a worker that has spliced its lists back to one that has not yet: what is
 * recorded there then is thrown away when that one does. */
#define COLLECTING ((phase >= FLIP && phase <= SWEEP) || phase == GIVE_UP)

/* With LATER_PASSES a mutant goes on to what its record that comes too late leads to. */
inline check_collecting()
{
  record_too_late = !COLLECTING;
#ifndef LATER_PASSES
  assert(!record_too_late)
#else
  skip
#endif
}

/* Nobody of an earlier epoch knows of an actor that was born in this one: stopped, it has no late
 * messages to record, and needs no tombstone. */
inline check_newborn(a, m)
{
  older_than_receiver = (sent[m] < born_in[a]);
#ifndef LATER_PASSES
  assert(!older_than_receiver)
#else
  skip
#endif
}

inline write_cut(a)
{
  if
  :: HAS(changed, a) && PERSISTENT(a) ->
     check_collecting();
     changed = changed & ~B(a);
     printf("#   %c is cut: its record of epoch %d\n", NAME(a), now - 1);
     if
     :: !record_too_late ->
        cut_actors = cut_actors | B(a);
        cut_handled = (cut_handled & ~TOM(a)) | (handled & TOM(a));
        cut_timers = (cut_timers & ~TOM(a)) | (timers & TOM(a));
        if
        :: HAS(stopped, a) -> cut_gone = cut_gone | B(a)
        :: else
        fi
     :: else
     fi;
#ifdef M_ANSWERS_NOT_SAID_AGAIN
     k_ = NM;
#else
     k_ = 0;
#endif
     do
     :: k_ < NM ->
        if
        :: HAS(REPLY_OF(a), k_) -> recorded[k_] = 0 /* those that still wait are said again */
        :: else
        fi;
        k_++
     :: else -> break
     od
  :: else
  fi
}

inline record_mail(w, m)
{
  check_collecting();
  recorded[m] = seen[w] - 1;
  printf("#   m%d is recorded as waiting in epoch %d\n", m, recorded[m]);
  if
  :: !record_too_late -> cut_mail = cut_mail | B(m)
  :: else
  fi
}

/* What stands in the snapshot if it is committed. */
inline merge()
{
  handled_ = 0;
  timers_ = 0;
  mail_ = kept_mail;
  c_ = 0;
  do
  :: c_ < NA ->
     if
     :: HAS(cut_actors, c_) ->
        handled_ = handled_ | (cut_handled & TOM(c_));
        timers_ = timers_ | (cut_timers & TOM(c_));
        mail_ = mail_ & ~(REPLIES & TOM(c_))
     :: else ->
        handled_ = handled_ | (kept_handled & TOM(c_));
        timers_ = timers_ | (kept_timers & TOM(c_))
     fi;
     c_++
  :: else -> break
  od;
  mail_ = (mail_ & ~handled_) | cut_mail;
  kept_actors = kept_actors | cut_actors;
  kept_gone = kept_gone | cut_gone
}

#define wrong_message(what) \
  if \
  :: what -> printf("# wrong about m%d in the snapshot of %d\n", v_, now - 1) \
  :: else \
  fi; \
  assert(!what)
#define wrong_actor(what) \
  if \
  :: what -> printf("# wrong about %c in the snapshot of %d\n", NAME(c_), now - 1) \
  :: else \
  fi; \
  assert(!what)
#define GONE(a) HAS(kept_gone, a)

/* The snapshot of epoch `n` as the next process would find it. */
inline check_snapshot(n)
{
  merge();
  v_ = 0;
  do
  :: v_ < NM ->
     cause_ = AT(CAUSE, v_);
     /* What an ephemeral actor sent was caused by what the last persistent one before it did. */
     through_ = 0;
     origin_ = cause_;
     do
     :: origin_ < 8 && !PERSISTENT(AT(TO, origin_)) ->
        through_ = 1;
        origin_ = AT(CAUSE, origin_)
     :: else -> break
     od;
     if
     :: origin_ < 8 -> sent_ = HAS(handled_, origin_)
     :: origin_ == OUT && !through_ -> sent_ = (sent[v_] != 0 && sent[v_] <= n)
     :: else -> sent_ = 1
     fi;
     has_ = HAS(handled_ | mail_ | timers_, v_);
     if
     :: PERSISTENT(AT(TO, v_)) ->
        orphan = (has_ && !sent_);
        wrong_message(orphan);
        lost_message = (sent_ && !has_ && !through_ && !GONE(AT(TO, v_)));
        wrong_message(lost_message);
        twice = (HAS(handled_, v_) + HAS(mail_, v_) + HAS(timers_, v_) > 1);
        wrong_message(twice)
     :: else
     fi;
#if THREADS
     /* A thread's later message is not there without its earlier one, nor, if the thread had
      * waited for the answer to that, without that having been handled. */
     if
     :: v_ > FIRST && v_ <= LAST && has_ ->
        thread_order = !HAS(handled_ | mail_, v_ - 1) ||
          (HAS(AWAITS, v_) && !HAS(handled_, v_ - 1));
        wrong_message(thread_order)
     :: else
     fi;
#endif
     v_++
  :: else -> break
  od;
  c_ = 0;
  do
  :: c_ < NA ->
     if
     :: AT(BORN, c_) < 8 && PERSISTENT(c_) ->
        birth_missing = HAS(handled_, AT(BORN, c_)) && !HAS(kept_actors, c_);
        wrong_actor(birth_missing);
        birth_too_early = !HAS(handled_, AT(BORN, c_)) && HAS(kept_actors, c_);
        wrong_actor(birth_too_early)
     :: else
     fi;
     c_++
  :: else -> break
  od;
  kept_handled = handled_;
  kept_mail = mail_;
  kept_timers = timers_;
  forget_open()
}

inline forget_open()
{
  cut_actors = 0; cut_gone = 0; cut_handled = 0; cut_mail = 0; cut_timers = 0
}
