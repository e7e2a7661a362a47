/* The reference for a hand-off between two threads: a raw futex ping-pong. `handoff N` makes N hand-offs there and back and prints
 * nanoseconds for one there-and-back. */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic int turn;
static long rounds;

static void wait_for(int mine) {
  int seen;
  while ((seen = atomic_load(&turn)) != mine) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void pass_to(int other) {
  atomic_store(&turn, other);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner(void *unused) {
  for (long i = 0; i < rounds; i++) {
    wait_for(1);
    pass_to(0);
  }
  return unused;
}

int main(int argc, char **argv) {
  rounds = argc == 2 ? atol(argv[1]) : 20000;
  pthread_t thread;
  struct timespec a, b;
  if (pthread_create(&thread, NULL, partner, NULL) != 0) return 1;
  clock_gettime(CLOCK_MONOTONIC, &a);
  for (long i = 0; i < rounds; i++) {
    pass_to(1);
    wait_for(0);
  }
  clock_gettime(CLOCK_MONOTONIC, &b);
  pthread_join(thread, NULL);
  printf("%.0f\n", ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)rounds);
  return 0;
}
