/* Scenarios: who lives where and who sends what in which turn. One is chosen with -D.
 *
 * A message is a number; it is sent once, so it also names the turn that handles it.
 *   to      who gets it           cause   the turn that sends it, INIT or OUT (a thread outside)
 *   home    of each actor         born    the turn that spawns it, INIT: there from the start
 * Sets of messages are masks: ASKS suspend their sender's handler until their reply is handed to
 * it, STOPS stop who handles them, TIMERS are armed by their cause and fire later.
 * Sets of actors: EPHEMERAL, MOVES (may be given away, once each).
 */
#define OUT 13
#define INIT 14
#define NONE 15 /* no such message, no such actor */
#define T3(a, b, c) ((a) | ((b) << 4) | ((c) << 8))
#define T8(a, b, c, d, e, f, g, h) (T3(a, b, c) | (T3(d, e, f) << 12) | ((g) << 24) | ((h) << 28))
#define AT(table, i) (((table) >> (4 * (i))) & 15)
#define B(i) (1 << (i))

#ifndef EPOCHS
#define EPOCHS 2
#endif

#ifdef CORE
/* A's handler asks B and is suspended; C, B and A send to each other meanwhile, over both workers
 * in both directions; the reply comes before or after A's cut. */
#define NA 3
#define NW 2
#define NM 8
#define TO T8(0, 1, 2, 0, 2, 0, 1, 1)
#define CAUSE T8(INIT, 0, 0, 1, 1, 2, 3, INIT)
#define HOME T3(0, 1, 1)
#define ASKS B(1)
#define REPLIES B(3)
#define SLICES
#define ABANDON
#endif

#ifdef FANOUT
/* A's handler asks B and C at once: two replies wait for it. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 2, 0, 0, 1, NONE, NONE)
#define CAUSE T8(INIT, 0, 0, 1, 2, 4, NONE, NONE)
#define HOME T3(0, 1, 0)
#define ASKS (B(1) | B(2))
#define REPLIES (B(3) | B(4))
#define ABANDON
#endif

#ifdef OUTSIDE
/* A thread tells A, waits until A has answered it, and then tells B twice; the lanes are of other
 * workers than the homes. */
#define NA 3
#define NW 2
#define NM 5
#define TO T8(0, 1, 1, 2, 0, NONE, NONE, NONE)
#define CAUSE T8(OUT, OUT, OUT, 2, 3, NONE, NONE, NONE)
#define HOME T3(0, 1, 0)
#define LANE T3(1, 0, 0)
#define THREADS 1
#define FIRST 0
#define LAST 2
#define AWAITS B(1)
#define ABANDON
#endif

#ifdef FORWARD
/* Three workers: one forwards what came from outside to an actor that another is just queueing. */
#define NA 2
#define NW 3
#define NM 3
#define TO T8(1, 1, 0, NONE, NONE, NONE, NONE, NONE)
#define CAUSE T8(OUT, 2, INIT, NONE, NONE, NONE, NONE, NONE)
#define HOME T3(0, 1, NONE)
#define LANE T3(0, 2, NONE)
#define THREADS 1
#define FIRST 0
#define LAST 0
#define AWAITS 0
#endif

#ifdef THROUGH
/* P tells an ephemeral E, which tells Q; E and P live together or not. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 2, 1, 2, 0, NONE, NONE)
#define CAUSE T8(INIT, 0, 1, INIT, 3, 2, NONE, NONE)
#define HOME T3(0, 0, 1)
#define EPHEMERAL B(1)
#define ABANDON
#endif

#ifdef DONATION
/* A, which has mail from the start, and B may move to the other worker. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 2, 2, 0, 1, NONE, NONE)
#define CAUSE T8(INIT, 0, 0, 1, 2, INIT, NONE, NONE)
#define HOME T3(0, 1, 0)
#define MOVES (B(0) | B(1))
#define ABANDON
#endif

#ifdef STOPPING
/* P's message and Q's word to stop race for C; a child of C is told by both. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 2, 2, 0, 2, NONE, NONE)
#define CAUSE T8(INIT, INIT, 0, 1, 3, 4, NONE, NONE)
#define HOME T3(0, 1, 1)
#define STOPS B(3)
#define ABANDON
#undef EPOCHS
#define EPOCHS 3
#endif

#ifdef ABANDONED
/* Any epoch may be abandoned; A's handler is suspended over it. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 0, 2, 0, 1, NONE, NONE)
#define CAUSE T8(INIT, 0, 1, 0, 3, INIT, NONE, NONE)
#define HOME T3(0, 1, 1)
#define ASKS B(1)
#define REPLIES B(2)
#define ABANDON
#undef EPOCHS
#define EPOCHS 3
#endif

#ifdef BIRTH
/* A spawns C and tells B of it; B tells C, which tells A. */
#define NA 3
#define NW 2
#define NM 6
#define TO T8(0, 1, 2, 0, 1, 0, NONE, NONE)
#define CAUSE T8(INIT, 0, 1, 2, INIT, 4, NONE, NONE)
#define HOME T3(0, 1, 0)
#define BORN T3(INIT, INIT, 0)
#define ABANDON
#undef EPOCHS
#define EPOCHS 3
#endif

#ifdef TIMERS
/* A arms a timer and tells B, whose answer meets the timer. */
#define NA 2
#define NW 2
#define NM 5
#define TO T8(0, 0, 1, 0, 1, NONE, NONE, NONE)
#define CAUSE T8(INIT, 0, 0, 2, 1, NONE, NONE, NONE)
#define HOME T3(0, 1, NONE)
#define TIMER B(1)
#define ABANDON
#undef EPOCHS
#define EPOCHS 3
#endif

#ifndef ASKS
#define ASKS 0
#endif
#ifndef REPLIES
#define REPLIES 0
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef TIMER
#define TIMER 0
#endif
#ifndef EPHEMERAL
#define EPHEMERAL 0
#endif
#ifndef MOVES
#define MOVES 0
#endif
#ifndef BORN
#define BORN T3(INIT, INIT, INIT)
#endif
#ifndef THREADS
#define THREADS 0
#define LANE T3(0, 0, 0)
#define FIRST 0
#define LAST 0
#define AWAITS 0
#endif
