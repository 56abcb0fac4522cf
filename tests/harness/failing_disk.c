/* What does a run do whose disk fails, or that dies, at one of its writes? Preloaded, this watches calls that change
   files under paths that match the pattern STEMMA_DISK_PATHS (fnmatch): open for writing, write, fsync, rename, close,
   ftruncate, chmod, mkdir, unlink. STEMMA_DISK_FAILS is "N WHAT": at the N-th of them, counted from 1 in each process,
   WHAT happens: an errno by number (28 is ENOSPC, 5 is EIO), once, or from there on with a plus sign behind it; or the
   process dies, "before", "after" or "amid" it (half of what a write brings is then written). STEMMA_DISK_REPORT is a
   file that gets a line per call: its kind and path, and the nanoseconds that it took. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

enum Fate { goes_well, fails, dies_before, dies_after, dies_amid };

static atomic_long calls;

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* A call that is watched, from its beginning to its end. */
struct Call {
  const char* kind;
  char path[PATH_MAX];
  enum Fate fate;
  int error;
  long long began;
};

static int watched(const char* path) {
  const char* pattern = getenv("STEMMA_DISK_PATHS");
  return pattern && fnmatch(pattern, path, 0) == 0;
}

/* Whether it is watched at all; decides its fate. */
static int begin(struct Call* call, const char* kind, const char* path) {
  if (!watched(path)) return 0;
  call->kind = kind;
  snprintf(call->path, sizeof call->path, "%s", path);
  call->fate = goes_well;
  const long number = atomic_fetch_add(&calls, 1) + 1;
  const char* plan = getenv("STEMMA_DISK_FAILS");
  if (plan) {
    char* what;
    const long nth = strtol(plan, &what, 10);
    const int for_good = plan[strlen(plan) - 1] == '+';
    if (number == nth || (for_good && number > nth)) {
      call->error = atoi(what);
      call->fate = call->error                  ? fails
                   : strcmp(what, " before") == 0 ? dies_before
                   : strcmp(what, " after") == 0  ? dies_after
                                                  : dies_amid;
    }
  }
  if (call->fate == dies_before) die();
  call->began = now();
  return 1;
}

static int begin_file(struct Call* call, const char* kind, int file) {
  char link[64], path[PATH_MAX];
  if (!getenv("STEMMA_DISK_PATHS")) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return begin(call, kind, path);
}

/* Relative paths are watched by their whole name. */
static int begin_path(struct Call* call, const char* kind, const char* path) {
  char whole[PATH_MAX], here[PATH_MAX / 2];
  if (path[0] == '/' || !getcwd(here, sizeof here)) return begin(call, kind, path);
  snprintf(whole, sizeof whole, "%s/%s", here, path);
  return begin(call, kind, whole);
}

static void end(const struct Call* call) {
  const int kept = errno;
  const char* report = getenv("STEMMA_DISK_REPORT");
  if (report) {
    char line[PATH_MAX + 64];
    const int size = snprintf(line, sizeof line, "%s\t%s\t%lld\n", call->kind, call->path, now() - call->began);
    const int file = REAL(open)(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
      if (REAL(write)(file, line, (size_t)size) != size) abort();
      REAL(close)(file);
    }
  }
  if (call->fate == dies_after || call->fate == dies_amid) die();
  errno = kept;
}

/* The call of a real function, unless it is to fail. */
#define WATCHED(begins, real)                  \
  struct Call call;                            \
  if (!(begins)) return real;                  \
  __typeof__(real) result = -1;                \
  if (call.fate == fails)                      \
    errno = call.error;                        \
  else                                         \
    result = real;                             \
  end(&call);                                  \
  return result

#define AMOUNT(size) (call.fate == dies_amid ? (size) / 2 : (size))

ssize_t write(int file, const void* data, size_t size) {
  struct Call call;
  if (!begin_file(&call, "write", file)) return REAL(write)(file, data, size);
  ssize_t result = -1;
  if (call.fate == fails)
    errno = call.error;
  else
    result = REAL(write)(file, data, AMOUNT(size));
  end(&call);
  return result;
}

ssize_t pwrite(int file, const void* data, size_t size, off_t offset) {
  struct Call call;
  if (!begin_file(&call, "write", file)) return REAL(pwrite)(file, data, size, offset);
  ssize_t result = -1;
  if (call.fate == fails)
    errno = call.error;
  else
    result = REAL(pwrite)(file, data, AMOUNT(size), offset);
  end(&call);
  return result;
}

ssize_t pwrite64(int file, const void* data, size_t size, off64_t offset) { return pwrite(file, data, size, offset); }

int fsync(int file) { WATCHED(begin_file(&call, "fsync", file), REAL(fsync)(file)); }
int fdatasync(int file) { WATCHED(begin_file(&call, "fsync", file), REAL(fdatasync)(file)); }
int ftruncate(int file, off_t size) { WATCHED(begin_file(&call, "ftruncate", file), REAL(ftruncate)(file, size)); }
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }
int fchmod(int file, mode_t mode) { WATCHED(begin_file(&call, "chmod", file), REAL(fchmod)(file, mode)); }
int chmod(const char* path, mode_t mode) { WATCHED(begin_path(&call, "chmod", path), REAL(chmod)(path, mode)); }
int mkdir(const char* path, mode_t mode) { WATCHED(begin_path(&call, "mkdir", path), REAL(mkdir)(path, mode)); }
int unlink(const char* path) { WATCHED(begin_path(&call, "unlink", path), REAL(unlink)(path)); }
int remove(const char* path) { WATCHED(begin_path(&call, "unlink", path), REAL(remove)(path)); }
int rename(const char* from, const char* to) { WATCHED(begin_path(&call, "rename", to), REAL(rename)(from, to)); }

/* Closed it is whatever close says, as Linux does it. */
int close(int file) {
  struct Call call;
  const int access = fcntl(file, F_GETFL);
  if (access < 0 || (access & O_ACCMODE) == O_RDONLY || !begin_file(&call, "close", file)) return REAL(close)(file);
  int result = REAL(close)(file);
  if (call.fate == fails) {
    errno = call.error;
    result = -1;
  }
  end(&call);
  return result;
}

static int opened(const char* path, int flags, mode_t mode) {
  if ((flags & O_ACCMODE) == O_RDONLY) return REAL(open)(path, flags, mode);
  WATCHED(begin_path(&call, "open", path), REAL(open)(path, flags, mode));
}

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
  va_end(more);
  return opened(path, flags | O_LARGEFILE, mode);
}
