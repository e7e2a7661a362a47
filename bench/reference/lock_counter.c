/* Counts what the lock of a Python interpreter does, from outside: preloaded (LD_PRELOAD), it stands between the interpreter and the
 * pthread calls its lock is made of. No interpreter is patched, and none is asked for its private data: which condition variables,
 * or which semaphore, belong to the lock is learned by giving the lock up once and taking it back (PyEval_SaveThread, PyEval_RestoreThread) and
 * seeing what is signalled.
 *
 *   CPython 3: drop_gil signals `cond`, take_gil signals `switch_cond`, both with the lock's mutex held; a waiter sleeps in
 *   pthread_cond_timedwait on `cond`. (Python/ceval_gil.h, 3.2 to 3.14.)
 *   CPython 2: the lock is a semaphore: sem_post, sem_wait. Every 100 ticks the thread posts and waits with no call in between: a yield,
 *   no transition. Calls are told by recv, send, poll, read and write. (Python/ceval.c, Python/thread_pthread.h, USE_SEMAPHORES.)
 *   PyPy takes its lock by an atomic exchange in its own code: nothing here can see it, and learn says so.
 *
 * A thread's counters are written by itself alone and read by one that holds the lock. What is shared, `last_owner`, is
 * written and read by holders only. Costs a server's thread two readings of the clock for each call, other threads a comparison.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OTHER, SERVER, SPINNER };
enum { TRANSITIONS, STEALS, WAITS, WAIT_NS, BEHIND_SPINNERS_NS, YIELDS, TIMEOUTS, TIMED_OUT_NS, COUNTS };
enum { WAIT_BUCKETS = 24, MAX_SLOTS = 2048, FIELDS = 3 };

struct slot {
  int kind;
  int called;        /* a call was made since the lock was given up */
  double released, slept; /* ns; slept 0: has not */
  double counts[COUNTS], waits[WAIT_BUCKETS];
  double *log;       /* released, returned, acquired of the last `capacity` calls */
  long capacity, logged;
};

static struct slot slots[MAX_SLOTS];
static int used;
static long log_capacity;
static __thread struct slot *mine;
static struct slot *last_owner;

static __thread enum { NO, DROP, TAKE } learning;
static pthread_cond_t *dropped_cond, *taken_cond;
static sem_t *lock_semaphore;

static int (*real_signal)(pthread_cond_t *);
static int (*real_timedwait)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
static int (*real_sem_wait)(sem_t *);
static int (*real_sem_post)(sem_t *);
static ssize_t (*real_recv)(int, void *, size_t, int);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_poll)(struct pollfd *, nfds_t, int);

/* glibc keeps an older condition variable under the same name; without the version that one may be found. */
static void *next(const char *name, const char *version) {
  void *found = dlvsym(RTLD_NEXT, name, version);
  return found ? found : dlsym(RTLD_NEXT, name);
}

__attribute__((constructor)) static void find_real(void) {
  if (real_signal) return;
  *(void **)&real_recv = dlsym(RTLD_NEXT, "recv");
  *(void **)&real_send = dlsym(RTLD_NEXT, "send");
  *(void **)&real_read = dlsym(RTLD_NEXT, "read");
  *(void **)&real_write = dlsym(RTLD_NEXT, "write");
  *(void **)&real_poll = dlsym(RTLD_NEXT, "poll");
  *(void **)&real_sem_wait = dlsym(RTLD_NEXT, "sem_wait");
  *(void **)&real_sem_post = dlsym(RTLD_NEXT, "sem_post");
  *(void **)&real_timedwait = next("pthread_cond_timedwait", "GLIBC_2.3.2");
  *(void **)&real_signal = next("pthread_cond_signal", "GLIBC_2.3.2");
}

static double now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The lock is about to be free. */
static void dropped(void) {
  if (!mine) return;
  mine->called = 0;
  if (mine->kind == SERVER) mine->released = now_ns();
}

/* The calling thread is about to sleep for the lock. */
static void sleeps(void) {
  if (mine && mine->kind == SERVER && mine->slept == 0) mine->slept = now_ns();
}

static void note_wait(struct slot *me, double ns) {
  int bucket = 0;
  for (double us = ns / 1e3; us >= 1 && bucket < WAIT_BUCKETS - 1; us /= 2) bucket++;
  me->waits[bucket]++;
  me->counts[WAIT_NS] += ns;
  if (last_owner && last_owner->kind == SPINNER) me->counts[BEHIND_SPINNERS_NS] += ns;
}

/* The calling thread has the lock. */
static void taken(int after_call) {
  struct slot *me = mine, *before = last_owner;
  last_owner = me;
  if (!me) return;
  if (!after_call) me->counts[YIELDS]++;
  if (me->kind != SERVER) return;
  double acquired = now_ns(), slept = me->slept;
  me->slept = 0;
  last_owner = before;
  if (slept != 0) note_wait(me, acquired - slept);
  last_owner = me;
  if (!after_call || me->released == 0) return;
  me->counts[TRANSITIONS]++;
  if (before != me) {
    me->counts[STEALS]++;
    if (slept != 0) me->counts[WAITS]++;
  }
  if (me->capacity == 0) return;
  double *entry = me->log + (me->logged++ % me->capacity) * FIELDS;
  entry[0] = me->released;
  entry[1] = slept != 0 ? slept : acquired;
  entry[2] = acquired;
}

int pthread_cond_signal(pthread_cond_t *cond) {
  if (!real_signal) find_real();
  if (cond == dropped_cond) dropped();
  else if (cond == taken_cond) {
    int result = real_signal(cond);
    /* Noted when the thread that was forced off has been told, as in our own log. A CPU thread makes no calls: it comes back from a
       yield only. */
    taken(!(mine && mine->kind == SPINNER));
    return result;
  }
  else if (learning == DROP && !dropped_cond) dropped_cond = cond;
  else if (learning == TAKE && !taken_cond) taken_cond = cond;
  return real_signal(cond);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until) {
  if (!real_timedwait) find_real();
  if (cond != dropped_cond) return real_timedwait(cond, mutex, until);
  sleeps();
  double from = now_ns();
  int result = real_timedwait(cond, mutex, until);
  if (result == ETIMEDOUT && mine) {
    mine->counts[TIMEOUTS]++;
    mine->counts[TIMED_OUT_NS] += now_ns() - from;
  }
  return result;
}

int sem_post(sem_t *semaphore) {
  if (!real_sem_post) find_real();
  if (semaphore == lock_semaphore) dropped();
  else if (learning == DROP && !lock_semaphore) lock_semaphore = semaphore;
  return real_sem_post(semaphore);
}

int sem_wait(sem_t *semaphore) {
  if (!real_sem_wait) find_real();
  if (semaphore != lock_semaphore) return real_sem_wait(semaphore);
  /* What sem_wait tries first, too. */
  if (sem_trywait(semaphore) != 0) {
    sleeps();
    int result = real_sem_wait(semaphore);
    if (result != 0) return result;
  }
  taken(mine ? mine->called : 1);
  return 0;
}

#define CALLED \
  if (mine) mine->called = 1

ssize_t recv(int fd, void *into, size_t length, int flags) { CALLED; return real_recv(fd, into, length, flags); }
ssize_t send(int fd, const void *from, size_t length, int flags) { CALLED; return real_send(fd, from, length, flags); }
ssize_t read(int fd, void *into, size_t length) { if (!real_read) find_real(); CALLED; return real_read(fd, into, length); }
ssize_t write(int fd, const void *from, size_t length) { if (!real_write) find_real(); CALLED; return real_write(fd, from, length); }
int poll(struct pollfd *fds, nfds_t count, int timeout_ms) { if (!real_poll) find_real(); CALLED; return real_poll(fds, count, timeout_ms); }

/* Returns whether the lock was found. Called with the lock held, as all that follow. */
int lock_counter_learn(void) {
  void *(*save)(void);
  void (*restore)(void *);
  *(void **)&save = dlsym(RTLD_DEFAULT, "PyEval_SaveThread");
  *(void **)&restore = dlsym(RTLD_DEFAULT, "PyEval_RestoreThread");
  if (!save || !restore) return 0;
  learning = DROP;
  void *state = save();
  learning = TAKE;
  restore(state);
  learning = NO;
  return (dropped_cond && taken_cond) || lock_semaphore;
}

/* How many of its last calls each thread that joins from now on keeps the times of. */
void lock_counter_capacity(long calls) { log_capacity = calls; }

void lock_counter_join(int kind) {
  int slot = __atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
  if (slot >= MAX_SLOTS) return;
  mine = &slots[slot];
  mine->kind = kind;
  if (kind == SERVER && log_capacity > 0) {
    mine->log = calloc((size_t)log_capacity * FIELDS, sizeof(double));
    mine->capacity = mine->log ? log_capacity : 0;
  }
  last_owner = mine;
}

double lock_counter_now(void) { return now_ns(); }

/* The counters of all threads of a kind, added up, then their wait histogram. */
void lock_counter_read(int kind, double *into) {
  memset(into, 0, (COUNTS + WAIT_BUCKETS) * sizeof *into);
  for (int i = 0; i < used && i < MAX_SLOTS; i++) {
    if (slots[i].kind != kind) continue;
    for (int n = 0; n < COUNTS; n++) into[n] += slots[i].counts[n];
    for (int n = 0; n < WAIT_BUCKETS; n++) into[COUNTS + n] += slots[i].waits[n];
  }
}

static long calls_of(const struct slot *slot, double since, double *into, long max) {
  long written = 0;
  if (slot->capacity == 0) return 0;
  for (long n = slot->logged > slot->capacity ? slot->logged - slot->capacity : 0; n < slot->logged; n++) {
    const double *entry = slot->log + (n % slot->capacity) * FIELDS;
    if (entry[2] < since) continue;
    if (into) {
      if (written >= max) break;
      memcpy(into + written * FIELDS, entry, FIELDS * sizeof *entry);
    }
    written++;
  }
  return written;
}

/* The calls, since then, of the thread that made most. With no memory: how many. */
long lock_counter_calls(double since, double *into, long max) {
  const struct slot *busiest = NULL;
  long most = 0;
  for (int i = 0; i < used && i < MAX_SLOTS; i++) {
    long calls = slots[i].kind == SERVER ? calls_of(&slots[i], since, NULL, 0) : 0;
    if (calls > most) { most = calls; busiest = &slots[i]; }
  }
  return busiest ? calls_of(busiest, since, into, into ? max : 0) : 0;
}
