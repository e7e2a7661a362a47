/* The reference for the apparatus: a blocking echo of size-prefixed messages and its client, in C, with the same system calls
 * and the same pacing as Convoy's. `echo server` prints its port; `echo client PORT N BYTES PAUSE_NS WARMUP` prints N round
 * trips in nanoseconds, one a line. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) { perror(what); exit(1); }

static size_t recv_exactly(int fd, char *into, size_t n) {
  size_t have = 0;
  while (have < n) {
    ssize_t got = recv(fd, into + have, n - have, 0);
    if (got < 0) { if (errno == EINTR) continue; die("recv"); }
    if (got == 0) return have;
    have += (size_t)got;
  }
  return have;
}

static void send_all(int fd, const char *from, size_t n) {
  while (n > 0) {
    ssize_t sent = send(fd, from, n, MSG_NOSIGNAL);
    if (sent < 0) { if (errno == EINTR) continue; die("send"); }
    from += sent;
    n -= (size_t)sent;
  }
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int server(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (bind(listener, (struct sockaddr *)&at, sizeof at) < 0) die("bind");
  if (listen(listener, 16) < 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&at, &length) < 0) die("getsockname");
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) die("accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  static char frame[4 + (1 << 20)];
  for (;;) {
    if (recv_exactly(fd, frame, 4) < 4) return 0;
    uint32_t n;
    memcpy(&n, frame, 4);
    n = ntohl(n);
    if (n > (1 << 20)) { fprintf(stderr, "frame of %u bytes\n", n); return 1; }
    if (recv_exactly(fd, frame + 4, n) < n) return 0;
    send_all(fd, frame, 4 + n);
  }
}

static int client(int port, int messages, uint32_t bytes, long pause_ns, int warmup) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  char *frame = malloc(4 + bytes), *back = malloc(4 + bytes);
  int64_t *rtt = malloc(sizeof(int64_t) * (size_t)messages);
  uint32_t n = htonl(bytes);
  memset(frame, 'x', 4 + bytes);
  memcpy(frame, &n, 4);
  struct timespec nap = {.tv_sec = 0, .tv_nsec = pause_ns};
  for (int i = -warmup; i < messages; i++) {
    int64_t start = now_ns();
    send_all(fd, frame, 4 + bytes);
    if (recv_exactly(fd, back, 4) < 4 || recv_exactly(fd, back + 4, bytes) < bytes) die("short echo");
    int64_t end = now_ns();
    if (memcmp(frame, back, 4 + bytes) != 0) { fprintf(stderr, "echo differs\n"); return 1; }
    if (i >= 0) rtt[i] = end - start;
    if (i >= 0 && pause_ns > 0) nanosleep(&nap, NULL);
  }
  for (int i = 0; i < messages; i++) printf("%lld\n", (long long)rtt[i]);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "server") == 0) return server();
  if (argc == 7 && strcmp(argv[1], "client") == 0)
    return client(atoi(argv[2]), atoi(argv[3]), (uint32_t)atoi(argv[4]), atol(argv[5]), atoi(argv[6]));
  fprintf(stderr, "usage: echo server | echo client PORT N BYTES PAUSE_NS WARMUP\n");
  return 64;
}
