/*
 * Asks every file function of WASI preview 1 for what wasi-libc, Rust and AssemblyScript rely on. Each
 * check that fails is a line of the log; their number is the exit code.
 *
 * Expects the one file /data/in.txt, which holds "0123456789\n". Rebuild with:
 *   clang --target=wasm32-wasi -Oz -s -o files.wasm files.c
 */
#include <stdio.h>
#include <string.h>
#include <wasi/api.h>

enum { OK = 0, BADF = 8, EXIST_ = 20, FAULT = 21, ILSEQ = 25, INVAL = 28, ISDIR = 31, NOENT = 44,
       NOSPC = 51, NOTDIR = 54, NOTEMPTY = 55, NOTSOCK = 57, NOTSUP = 58, SPIPE = 70, NOTCAPABLE = 76 };
enum { CREATE = 1, DIRECTORY = 2, EXCLUSIVE = 4, TRUNCATE = 8 };
enum { ROOT = 3, APPEND = 1 };
/* What wasi-libc asks for with O_RDONLY, and what it adds with O_RDWR. */
#define WRITE (__WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_ALLOCATE | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE)
#define READ (((__wasi_rights_t)0x0fffffff) & ~WRITE)

static int failures;

static void check(const char *what, long long got, long long expected) {
  if (got == expected) return;
  failures++;
  fprintf(stderr, "%s: got %lld, expected %lld\n", what, got, expected);
}
#define CHECK(expression, expected) check(#expression, (long long)(expression), expected)

static uint8_t buffer[4096];
static __wasi_size_t count;
static __wasi_fd_t fd;

static int open_at(__wasi_fd_t directory, const char *path, int flags, __wasi_rights_t rights) {
  return __wasi_path_open(directory, 1, path, flags, rights, rights, 0, &fd);
}
static int open(const char *path, int flags) { return open_at(ROOT, path, flags, READ | WRITE); }

static int read_n(__wasi_fd_t from, int length) {
  __wasi_iovec_t range = {buffer, length};
  return __wasi_fd_read(from, &range, 1, &count);
}
static int pread_n(__wasi_fd_t from, int length, int offset) {
  __wasi_iovec_t range = {buffer, length};
  return __wasi_fd_pread(from, &range, 1, offset, &count);
}
static int write_text(__wasi_fd_t to, const char *text) {
  __wasi_ciovec_t ranges[2] = {{(const uint8_t *)text, 1}, {(const uint8_t *)text + 1, strlen(text) - 1}};
  return __wasi_fd_write(to, ranges, 2, &count);
}
static int pwrite_text(__wasi_fd_t to, const char *text, int offset) {
  __wasi_ciovec_t range = {(const uint8_t *)text, strlen(text)};
  return __wasi_fd_pwrite(to, &range, 1, offset, &count);
}
static long long seek(__wasi_fd_t in, long long offset, int whence) {
  __wasi_filesize_t at;
  int error = __wasi_fd_seek(in, offset, whence, &at);
  return error ? -error : (long long)at;
}
static long long tell(__wasi_fd_t in) {
  __wasi_filesize_t at;
  int error = __wasi_fd_tell(in, &at);
  return error ? -error : (long long)at;
}
static long long size(__wasi_fd_t of) {
  __wasi_filestat_t status;
  int error = __wasi_fd_filestat_get(of, &status);
  return error ? -error : (long long)status.size;
}
static __wasi_filestat_t status;
static int stat(const char *path) { return __wasi_path_filestat_get(ROOT, 1, path, &status); }
static int holds(__wasi_fd_t in, const char *text) {
  return pread_n(in, sizeof buffer, 0) == OK && count == strlen(text) && !memcmp(buffer, text, count);
}

static void preopens(void) {
  __wasi_prestat_t prestat;
  char name[8] = {0};
  CHECK(__wasi_fd_prestat_get(0, &prestat), BADF);
  CHECK(__wasi_fd_prestat_get(ROOT, &prestat), OK);
  CHECK(prestat.u.dir.pr_name_len, 1);
  CHECK(__wasi_fd_prestat_dir_name(ROOT, (uint8_t *)name, 1), OK);
  CHECK(strcmp(name, "/"), 0);
  CHECK(__wasi_fd_prestat_get(4, &prestat), BADF);
}

static void paths(void) {
  CHECK(open("nope", 0), NOENT);
  CHECK(open("no/nope", CREATE), NOENT);
  CHECK(open("", 0), NOENT);
  CHECK(open("/data/in.txt", 0), NOTCAPABLE);
  CHECK(open("../etc/passwd", 0), NOTCAPABLE);
  CHECK(open("data/../../etc/passwd", 0), NOTCAPABLE);
  CHECK(open("data/\xff", 0), ILSEQ);
  CHECK(open("data/in.txt/x", 0), NOTDIR);
  CHECK(open("data/in.txt/", 0), NOTDIR);
  CHECK(open("data/in.txt", DIRECTORY), NOTDIR);
  CHECK(open("data/in.txt", CREATE | EXCLUSIVE), EXIST_);
  CHECK(open("data", 0), ISDIR);
  CHECK(open("./data/.././data//in.txt", 0), OK);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(__wasi_fd_close(fd), BADF);
  CHECK(read_n(fd, 1), BADF);
}

static void reading(void) {
  CHECK(stat("data/in.txt"), OK);
  CHECK(status.mtim, 0);
  CHECK(open_at(ROOT, "data/in.txt", 0, READ), OK);
  CHECK(fd, 4);
  CHECK(read_n(fd, 5), OK);
  CHECK(count, 5);
  CHECK(memcmp(buffer, "01234", 5), 0);
  CHECK(tell(fd), 5);
  CHECK(pread_n(fd, 4, 2), OK);
  CHECK(memcmp(buffer, "2345", 4), 0);
  CHECK(tell(fd), 5);
  CHECK(seek(fd, -3, 2), 8);
  CHECK(read_n(fd, 100), OK);
  CHECK(count, 3);
  CHECK(read_n(fd, 100), OK);
  CHECK(count, 0);
  CHECK(seek(fd, -1, 0), -INVAL);
  CHECK(seek(fd, 0, 7), -INVAL);
  CHECK(seek(fd, -1, 1), 10);
  CHECK(seek(fd, 100, 0), 100);
  CHECK(read_n(fd, 1), OK);
  CHECK(count, 0);
  CHECK(write_text(fd, "no"), BADF);
  CHECK(__wasi_fd_filestat_set_size(fd, 0), BADF);
  CHECK(size(fd), 11);
  CHECK(__wasi_fd_advise(fd, 0, 0, 0), OK);
  CHECK(__wasi_fd_readdir(fd, buffer, sizeof buffer, 0, &count), NOTDIR);
  CHECK(__wasi_sock_shutdown(fd, 1), NOTSOCK);
  CHECK(__wasi_fd_close(fd), OK);
}

static void writing(void) {
  CHECK(open("data/new.txt", CREATE | EXCLUSIVE), OK);
  __wasi_fd_t file = fd;
  CHECK(write_text(file, "hello world"), OK);
  CHECK(count, 11);
  CHECK(pwrite_text(file, "HE", 0), OK);
  CHECK(holds(file, "HEllo world"), 1);
  CHECK(pwrite_text(file, "W", 6), OK);
  CHECK(holds(file, "HEllo World"), 1);
  CHECK(tell(file), 11);
  CHECK(open("data/new.txt", 0), OK);
  CHECK(holds(fd, "HEllo World"), 1);
  CHECK(pwrite_text(fd, "ld!", 9), OK);
  CHECK(holds(file, "HEllo World!"), 1);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(__wasi_fd_filestat_set_size(file, 2), OK);
  CHECK(__wasi_fd_filestat_set_size(file, 4), OK);
  CHECK(pread_n(file, 10, 0), OK);
  CHECK(count, 4);
  CHECK(memcmp(buffer, "HE\0\0", 4), 0);
  CHECK(seek(file, 8, 0), 8);
  CHECK(write_text(file, "ab"), OK);
  CHECK(size(file), 10);
  CHECK(pread_n(file, 10, 0), OK);
  CHECK(memcmp(buffer, "HE\0\0\0\0\0\0ab", 10), 0);
  CHECK(__wasi_fd_allocate(file, 0, 20), OK);
  CHECK(size(file), 20);
  CHECK(__wasi_fd_allocate(file, 0, 5), OK);
  CHECK(size(file), 20);
  CHECK(__wasi_fd_fdstat_set_flags(file, APPEND), OK);
  CHECK(seek(file, 0, 0), 0);
  CHECK(write_text(file, "end"), OK);
  CHECK(size(file), 23);
  CHECK(tell(file), 23);
  CHECK(__wasi_fd_sync(file), OK);
  CHECK(__wasi_fd_datasync(file), OK);
  CHECK(__wasi_fd_filestat_set_size(file, 1LL << 40), NOSPC);
  CHECK(pwrite_text(file, "x", 0x7fffffff), NOSPC);
  CHECK(__wasi_fd_allocate(file, -1, -1), INVAL);
  CHECK(size(file), 23);
  CHECK(open("data/new.txt", TRUNCATE), OK);
  CHECK(size(file), 0);
  CHECK(__wasi_fd_renumber(file, fd), OK);
  CHECK(size(file), -BADF);
  CHECK(size(fd), 0);
  CHECK(__wasi_fd_close(fd), OK);
}

static void directories(void) {
  CHECK(stat("data"), OK);
  CHECK(status.filetype, 3);
  CHECK(stat("."), OK);
  CHECK(stat("data/in.txt"), OK);
  CHECK(status.filetype, 4);
  CHECK(status.size, 11);
  CHECK(__wasi_path_create_directory(ROOT, "tmp"), OK);
  CHECK(__wasi_path_create_directory(ROOT, "tmp"), EXIST_);
  CHECK(__wasi_path_create_directory(ROOT, "data/in.txt"), EXIST_);
  CHECK(__wasi_path_create_directory(ROOT, "no/deeper"), NOENT);
  CHECK(open("tmp/a", CREATE), OK);
  CHECK(write_text(fd, "content"), OK);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(__wasi_path_remove_directory(ROOT, "tmp"), NOTEMPTY);
  CHECK(__wasi_path_remove_directory(ROOT, "tmp/a"), NOTDIR);
  CHECK(__wasi_path_remove_directory(ROOT, "."), INVAL);
  CHECK(__wasi_path_unlink_file(ROOT, "tmp"), ISDIR);
  CHECK(__wasi_path_unlink_file(ROOT, "nope"), NOENT);

  CHECK(open_at(ROOT, "tmp", DIRECTORY, READ), OK);
  __wasi_fd_t directory = fd;
  CHECK(open_at(directory, "a", 0, READ), OK);
  CHECK(holds(fd, "content"), 1);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(open_at(directory, "../data/in.txt", 0, READ), NOTCAPABLE);
  CHECK(read_n(directory, 1), ISDIR);
  CHECK(__wasi_fd_readdir(directory, buffer, sizeof buffer, 0, &count), OK);
  CHECK(count, 3 * 24 + 1 + 2 + 1);
  CHECK(buffer[2 * 24 + 3 + 16], 1);
  CHECK(buffer[2 * 24 + 3 + 20], 4);
  CHECK(buffer[2 * 24 + 3 + 24], 'a');
  CHECK(__wasi_fd_readdir(directory, buffer, 30, 0, &count), OK);
  CHECK(count, 30);
  CHECK(__wasi_fd_readdir(directory, buffer, sizeof buffer, 2, &count), OK);
  CHECK(count, 25);
  CHECK(__wasi_fd_readdir(directory, buffer, sizeof buffer, 3, &count), OK);
  CHECK(count, 0);
  CHECK(__wasi_fd_close(directory), OK);
}

static void renaming(void) {
  CHECK(__wasi_path_rename(ROOT, "nope", ROOT, "b"), NOENT);
  CHECK(__wasi_path_rename(ROOT, "tmp/a", ROOT, "no/b"), NOENT);
  CHECK(__wasi_path_rename(ROOT, "tmp/a", ROOT, "data"), ISDIR);
  CHECK(__wasi_path_rename(ROOT, "tmp", ROOT, "data/in.txt"), NOTDIR);
  CHECK(__wasi_path_rename(ROOT, "tmp", ROOT, "data"), NOTEMPTY);
  CHECK(__wasi_path_rename(ROOT, "tmp", ROOT, "tmp/deeper"), INVAL);
  CHECK(__wasi_path_rename(ROOT, "tmp/a", ROOT, "data/new.txt"), OK);
  CHECK(stat("tmp/a"), NOENT);
  CHECK(stat("data/new.txt"), OK);
  CHECK(status.size, 7);
  CHECK(__wasi_path_rename(ROOT, "data", ROOT, "moved"), OK);
  CHECK(stat("data/in.txt"), NOENT);
  CHECK(open("moved/in.txt", 0), OK);
  CHECK(holds(fd, "0123456789\n"), 1);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(__wasi_path_rename(ROOT, "moved", ROOT, "tmp"), OK);
  CHECK(stat("moved"), NOENT);
  CHECK(open("tmp/in.txt", 0), OK);
  CHECK(__wasi_path_unlink_file(ROOT, "tmp/in.txt"), OK);
  CHECK(stat("tmp/in.txt"), NOENT);
  CHECK(holds(fd, "0123456789\n"), 1);
  CHECK(pwrite_text(fd, "9", 0), OK);
  CHECK(holds(fd, "9123456789\n"), 1);
  CHECK(open("tmp/in.txt", CREATE | EXCLUSIVE), OK);
  CHECK(size(fd), 0);
}

static void times(void) {
  CHECK(open("tmp/timed", CREATE), OK);
  CHECK(stat("tmp/timed"), OK);
  CHECK(status.mtim > 0 && status.mtim == status.atim && status.mtim == status.ctim, 1);
  __wasi_timestamp_t born = status.mtim;
  CHECK(__wasi_fd_filestat_set_times(fd, 5, 1000, 4), OK);
  CHECK(stat("tmp/timed"), OK);
  CHECK(status.mtim, 1000);
  CHECK(status.atim, born);
  CHECK(status.ctim >= born, 1);
  CHECK(__wasi_path_filestat_set_times(ROOT, 1, "tmp/timed", 7, 9, 1 | 8), OK);
  CHECK(__wasi_path_rename(ROOT, "tmp/timed", ROOT, "tmp/renamed"), OK);
  CHECK(stat("tmp/renamed"), OK);
  CHECK(status.atim, 7);
  CHECK(status.mtim >= born, 1);
  CHECK(__wasi_fd_filestat_set_times(fd, 0, 0, 2 | 4), OK);
  CHECK(write_text(fd, "ab"), OK);
  CHECK(stat("tmp/renamed"), OK);
  CHECK(status.mtim >= born && status.atim >= born, 1);
  __wasi_inode_t inode = status.ino;
  CHECK(__wasi_path_unlink_file(ROOT, "tmp/renamed"), OK);
  CHECK(__wasi_fd_filestat_set_times(fd, 3, 4, 1 | 4), OK);
  CHECK(__wasi_fd_filestat_get(fd, &status), OK);
  CHECK(status.atim == 3 && status.mtim == 4 && status.ino == inode, 1);
  CHECK(__wasi_fd_filestat_set_times(fd, 0, 0, 1 | 2), INVAL);
  CHECK(__wasi_fd_filestat_set_times(fd, 0, 0, 4 | 8), INVAL);
  CHECK(__wasi_fd_filestat_set_times(fd, 0, 0, 16), INVAL);
  CHECK(__wasi_path_filestat_set_times(ROOT, 1, "nope", 0, 0, 4), NOENT);
  CHECK(__wasi_fd_filestat_set_times(99, 0, 0, 4), BADF);
  CHECK(__wasi_fd_close(fd), OK);
}

static void rights(void) {
  __wasi_fdstat_t fdstat;
  CHECK(open("tmp/righted", CREATE), OK);
  CHECK(__wasi_fd_fdstat_get(fd, &fdstat), OK);
  CHECK(fdstat.fs_rights_base & __WASI_RIGHTS_PATH_OPEN, 0);
  CHECK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_WRITE, 0), OK);
  CHECK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_READ, 0), NOTCAPABLE);
  CHECK(write_text(fd, "abc"), OK);
  CHECK(read_n(fd, 1), BADF);
  CHECK(seek(fd, 0, 0), -NOTCAPABLE);
  CHECK(tell(fd), -NOTCAPABLE);
  CHECK(size(fd), -NOTCAPABLE);
  CHECK(__wasi_fd_filestat_set_times(fd, 0, 0, 2), NOTCAPABLE);
  CHECK(__wasi_fd_close(fd), OK);

  CHECK(open_at(ROOT, "tmp", DIRECTORY, READ), OK);
  __wasi_fd_t directory = fd;
  CHECK(__wasi_fd_fdstat_get(directory, &fdstat), OK);
  CHECK(fdstat.fs_rights_base & (__WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_READ), 0);
  CHECK(open_at(directory, "righted", 0, READ | WRITE), NOTCAPABLE);
  CHECK(__wasi_fd_fdstat_set_rights(directory, __WASI_RIGHTS_PATH_OPEN, READ), OK);
  CHECK(open_at(directory, "righted", 0, READ), OK);
  CHECK(__wasi_fd_close(fd), OK);
  CHECK(open_at(directory, "new", CREATE, READ), NOTCAPABLE);
  CHECK(open_at(directory, "righted", TRUNCATE, READ), NOTCAPABLE);
  CHECK(__wasi_path_unlink_file(directory, "righted"), NOTCAPABLE);
  CHECK(__wasi_path_rename(directory, "righted", ROOT, "x"), NOTCAPABLE);
  CHECK(__wasi_path_create_directory(directory, "d"), NOTCAPABLE);
  CHECK(__wasi_path_filestat_get(directory, 0, "righted", &status), NOTCAPABLE);
  CHECK(__wasi_fd_readdir(directory, buffer, sizeof buffer, 0, &count), NOTCAPABLE);
  CHECK(__wasi_fd_close(directory), OK);
}

static void links(void) {
  CHECK(__wasi_path_symlink("tmp", ROOT, "link"), NOTSUP);
  CHECK(__wasi_path_link(ROOT, 0, "tmp/in.txt", ROOT, "link"), NOTSUP);
  CHECK(__wasi_path_readlink(ROOT, "tmp/in.txt", buffer, sizeof buffer, &count), INVAL);
}

static void streams(void) {
  CHECK(seek(1, 0, 0), -SPIPE);
  CHECK(write_text(0, "no"), BADF);
  CHECK(read_n(1, 1), BADF);
  CHECK(open_at(0, "x", 0, READ), BADF);
  CHECK(__wasi_sock_shutdown(1, 1), NOTSOCK);
  CHECK(open("tmp/stream", CREATE), OK);
  CHECK(__wasi_fd_renumber(0, fd), OK);
  CHECK(read_n(0, 1), BADF);
  CHECK(read_n(fd, 4), OK);
  CHECK(count == 4 && !memcmp(buffer, "null", 4), 1);
  CHECK(__wasi_fd_fdstat_set_rights(fd, 0, 0), OK);
  CHECK(read_n(fd, 1), BADF);
  CHECK(__wasi_fd_fdstat_set_rights(fd, __WASI_RIGHTS_FD_READ, 0), NOTCAPABLE);
  __wasi_fd_t stdin_now = fd;
  CHECK(open("tmp/stream", 0), OK);
  CHECK(fd == stdin_now, 0);
  CHECK(write_text(fd, "to a file"), OK);
  CHECK(__wasi_fd_renumber(fd, 1), OK);
  CHECK(write_text(1, "; more"), OK);
  CHECK(holds(1, "to a file; more"), 1);
  CHECK(__wasi_fd_close(stdin_now), OK);
  CHECK(read_n(stdin_now, 1), BADF);
  CHECK(__wasi_fd_renumber(2, 99), BADF);
}

int main(void) {
  preopens();
  paths();
  reading();
  writing();
  directories();
  renaming();
  times();
  rights();
  links();
  streams();
  return failures;
}
