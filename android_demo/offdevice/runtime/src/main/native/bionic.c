/*
 * The part of Android's C library that libtensorflowlite_jni.so needs, on top of glibc. With it, the
 * phone's own x86_64 library runs on desktop Linux, and its AArch64 library in an emulator.
 *
 * The library links to symbols of version LIBC; glibc has the same functions under its own versions.
 * Most have the same signature on both systems, so a jump is enough. The others are translated.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Export android_NAME, defined here, as NAME of version LIBC. */
#define AS(name) __asm__(".symver android_" #name "," #name "@LIBC");
/* Export glibc's NAME as NAME of version LIBC. A jump works for any arguments. */
#ifdef __aarch64__
#define JUMP(name) "adrp x16, :got:" #name "\n ldr x16, [x16, :got_lo12:" #name "]\n br x16\n"
#else
#define JUMP(name) "jmp *" #name "@GOTPCREL(%rip)\n"
#endif
#define SAME(name)                                                       \
  __asm__(".text\n.globl android_" #name "\n"                            \
          ".type android_" #name ",%function\n"                          \
          "android_" #name ": " JUMP(name)                              \
          ".symver android_" #name "," #name "@LIBC\n");

SAME(__cxa_atexit) SAME(__cxa_finalize) SAME(__memmove_chk) SAME(__open_2) SAME(__read_chk)
SAME(__stack_chk_fail) SAME(__vsnprintf_chk) SAME(abort) SAME(atan2) SAME(atan2f) SAME(bsearch)
SAME(calloc) SAME(clock_gettime) SAME(close) SAME(closelog) SAME(cos) SAME(cosf)
SAME(dl_iterate_phdr) SAME(dlclose) SAME(dlerror) SAME(dlopen) SAME(erfcf) SAME(exit)
SAME(exp) SAME(expf) SAME(expm1f) SAME(fclose) SAME(flock) SAME(fmodf) SAME(fopen) SAME(fread)
SAME(free) SAME(freelocale) SAME(frexp) SAME(fstat) SAME(fsync) SAME(getauxval) SAME(getenv)
SAME(getpagesize)
SAME(getuid) SAME(hypot) SAME(hypotf) SAME(ldexp) SAME(log) SAME(log1p) SAME(logf) SAME(madvise)
SAME(malloc) SAME(memchr) SAME(memcmp) SAME(memcpy) SAME(memmove) SAME(memset)
SAME(mmap) SAME(mprotect) SAME(mremap) SAME(munmap) SAME(nanf) SAME(nanosleep) SAME(open)
SAME(openlog) SAME(pow) SAME(powf) SAME(pthread_cond_broadcast)
SAME(pthread_cond_destroy) SAME(pthread_cond_init) SAME(pthread_cond_signal)
SAME(pthread_cond_wait) SAME(pthread_create) SAME(pthread_equal) SAME(pthread_getspecific)
SAME(pthread_join) SAME(pthread_key_create) SAME(pthread_key_delete) SAME(pthread_mutex_destroy)
SAME(pthread_mutex_lock) SAME(pthread_mutex_unlock) SAME(pthread_once)
SAME(pthread_rwlock_rdlock) SAME(pthread_rwlock_unlock) SAME(pthread_rwlock_wrlock)
SAME(pthread_self) SAME(pthread_setspecific) SAME(qsort) SAME(read) SAME(realloc) SAME(rename)
SAME(sincos) SAME(sincosf) SAME(sinf) SAME(snprintf) SAME(strcmp) SAME(strerror) SAME(strlen)
SAME(strncmp) SAME(strncpy) SAME(strnlen) SAME(strtod) SAME(strtol) SAME(strtoll_l) SAME(strtoull_l)
SAME(syscall) SAME(syslog) SAME(tanhf) SAME(time) SAME(vasprintf) SAME(vsnprintf) SAME(write)

AS(__errno)
int *android___errno(void) { return &errno; }

/* Android's mutex has 40 bytes, as glibc's on x86_64; that on AArch64 has 48, of which the last ones
 * are for kinds that the library does not use. */
AS(pthread_mutex_init)
int android_pthread_mutex_init(void *mutex, const void *attributes) {
  (void)attributes;
  memset(mutex, 0, 40);
  return 0;
}

AS(__strlen_chk)
size_t android___strlen_chk(const char *text, size_t size) {
  (void)size;
  return strlen(text);
}

/* The library reads only the SDK version, to decide whether dlsym is safe. Return 24, Android 7. */
AS(__system_property_get)
int android___system_property_get(const char *name, char *value) {
  strcpy(value, strcmp(name, "ro.build.version.sdk") ? "" : "24");
  return (int)strlen(value);
}

/* Android also searches the caller's own library, which is how the runtime finds XNNPACK. */
AS(dlsym)
void *android_dlsym(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (found || library != RTLD_DEFAULT) return found;
  void *runtime = dlopen("libtensorflowlite_jni.so", RTLD_LAZY | RTLD_NOLOAD);
  return runtime ? dlsym(runtime, name) : NULL;
}

AS(android_set_abort_message)
void android_android_set_abort_message(const char *message) { fprintf(stderr, "%s\n", message); }

/* Android has the POSIX version; glibc's strerror_r is a different function. */
int __xpg_strerror_r(int code, char *text, size_t size);
AS(strerror_r)
int android_strerror_r(int code, char *text, size_t size) {
  return __xpg_strerror_r(code, text, size);
}

/* The mask bits differ between the systems; the library only uses LC_ALL_MASK. */
AS(newlocale)
locale_t android_newlocale(int mask, const char *name, locale_t base) {
  (void)mask;
  return newlocale(LC_ALL_MASK, name, base);
}

/* XNNPACK's AVX-512 code needs an alignment of 64 bytes. Phones have no AVX-512, so the library
 * requests less. */
AS(memalign)
void *android_memalign(size_t alignment, size_t size) {
  return memalign(alignment < 64 ? 64 : alignment, size);
}

AS(posix_memalign)
int android_posix_memalign(void **memory, size_t alignment, size_t size) {
  return posix_memalign(memory, alignment < 64 ? 64 : alignment, size);
}

AS(sysconf)
long android_sysconf(int name) {
  switch (name) { /* Android's constants */
    case 0x27:
    case 0x28:
      return sysconf(_SC_PAGESIZE);
    case 0x60:
      return sysconf(_SC_NPROCESSORS_CONF);
    case 0x61:
      return sysconf(_SC_NPROCESSORS_ONLN);
    default:
      errno = EINVAL;
      return -1;
  }
}

/* stdin, stdout and stderr. Android's FILE has 152 bytes. */
char android___sF[3][152];
AS(__sF)

static FILE *stream(void *file) {
  if (file == android___sF[1]) return stdout;
  if (file == android___sF[2]) return stderr;
  return file;
}

AS(vfprintf)
int android_vfprintf(void *file, const char *text, va_list values) {
  return vfprintf(stream(file), text, values);
}

AS(fprintf)
int android_fprintf(void *file, const char *text, ...) {
  va_list values;
  va_start(values, text);
  int written = vfprintf(stream(file), text, values);
  va_end(values);
  return written;
}

AS(fputc)
int android_fputc(int character, void *file) { return fputc(character, stream(file)); }

AS(fflush)
int android_fflush(void *file) { return fflush(stream(file)); }

AS(fileno)
int android_fileno(void *file) { return fileno(stream(file)); }

AS(fwrite)
size_t android_fwrite(const void *from, size_t size, size_t count, void *file) {
  return fwrite(from, size, count, stream(file));
}

/* Discard messages for Android's log: stdout belongs to the test runner, and stderr has them already. */
int __android_log_vprint(int level, const char *tag, const char *text, va_list values) {
  (void)level, (void)tag, (void)text, (void)values;
  return 0;
}
