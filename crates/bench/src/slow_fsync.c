/* Put before a program with LD_PRELOAD: each fsync and fdatasync takes SLOW_FSYNC_US longer, as on
 * a slower disk, and is counted in the file SLOW_FSYNC_COUNT (8 bytes, little end first). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Atomic unsigned long long *count;
static struct timespec extra;

__attribute__((constructor)) static void begin(void) {
  const char *us = getenv("SLOW_FSYNC_US");
  const char *path = getenv("SLOW_FSYNC_COUNT");
  long long wanted = us ? atoll(us) : 0;
  extra.tv_sec = wanted / 1000000;
  extra.tv_nsec = wanted % 1000000 * 1000;
  int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
  if (file < 0) return;
  if (ftruncate(file, sizeof *count) == 0) {
    void *at = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) count = at;
  }
  close(file);
}

static void wait_longer(void) {
  struct timespec left = extra;
  if (count) atomic_fetch_add(count, 1);
  while (nanosleep(&left, &left) != 0) continue;
}

int fsync(int file) {
  wait_longer();
  return (int)syscall(SYS_fsync, file);
}

int fdatasync(int file) {
  wait_longer();
  return (int)syscall(SYS_fdatasync, file);
}
