/* Puts a program under the limits of a service unit, as far as that needs no privilege, and becomes that program.
 *
 * unit.h is written by service_unit.rs from the unit's own text:
 *   allowed[]              the system calls that the unit allows
 *   REFUSAL                what any other call leads to, a SECCOMP_RET_… value
 *   FAMILIES               the address families of sockets that may be made, separated by commas
 *   NO_NEW_PRIVILEGES, NO_CAPABILITIES, DENY_WRITE_EXECUTE, DENY_NAMESPACES   1 where the unit says so
 *   OPEN_FILES, FILE_MASK  LimitNOFILE= and UMask=
 *
 * A unit has a user of its own: as root, it gives up root for the user nobody.
 *
 * Usage: launcher PROGRAM [ARGUMENT]…
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "name the AUDIT_ARCH_ of this machine here"
#endif

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOBODY 65534
#define NAMESPACES                                                                                       \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static void check(int failed, const char *what) {
    if (failed) {
        perror(what);
        exit(70);
    }
}

/* The filter that is being written. */
static struct sock_filter code[4096];
static unsigned short length;

static void add(unsigned short op, unsigned char if_true, unsigned char if_false, unsigned value) {
    check(length >= COUNT(code), "the filter is too long");
    code[length++] = (struct sock_filter){op, if_true, if_false, value};
}

static void load_number(void) { add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)); }

/* The lower half of an argument; both machines above are little-endian. */
static void load_argument(int index) {
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args) + 8 * index);
}

static void answer(unsigned action) { add(BPF_RET | BPF_K, 0, 0, action); }

/* Where what is loaded is this value, the next instruction is skipped unless `then` says so. */
static void unless_equal_skip(unsigned value, unsigned char skipped) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, skipped, value);
}

static void install(void) {
    struct sock_fprog program = {length, code};
    check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
    length = 0;
}

/* Refuses a call where all bits of `mask` are set in an argument, or any of them. */
static void refuse_bits(unsigned number, int argument, unsigned mask, int all) {
    load_number();
    unless_equal_skip(number, all ? 4 : 3);
    load_argument(argument);
    if (all) {
        add(BPF_ALU | BPF_AND | BPF_K, 0, 0, mask);
        unless_equal_skip(mask, 1);
    } else {
        add(BPF_JMP | BPF_JSET | BPF_K, 0, 1, mask);
    }
    answer(SECCOMP_RET_ERRNO | EPERM);
}

static void refuse(unsigned number, unsigned error) {
    load_number();
    unless_equal_skip(number, 1);
    answer(SECCOMP_RET_ERRNO | error);
}

/* RestrictAddressFamilies= */
static void limit_families(void) {
    static const unsigned families[] = {FAMILIES};
    load_number();
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_socket);
    answer(SECCOMP_RET_ALLOW);
    load_argument(0);
    for (size_t i = 0; i < COUNT(families); i++) {
        unless_equal_skip(families[i], 1);
        answer(SECCOMP_RET_ALLOW);
    }
    answer(SECCOMP_RET_ERRNO | EAFNOSUPPORT);
    install();
}

/* MemoryDenyWriteExecute=yes */
static void deny_write_execute(void) {
    refuse_bits(SYS_mmap, 2, PROT_WRITE | PROT_EXEC, 1);
    refuse_bits(SYS_mprotect, 2, PROT_EXEC, 0);
    refuse_bits(SYS_pkey_mprotect, 2, PROT_EXEC, 0);
    refuse_bits(SYS_shmat, 2, SHM_EXEC, 0);
    answer(SECCOMP_RET_ALLOW);
    install();
}

/* RestrictNamespaces=yes; the flags of clone3 can't be seen, so that it is unknown and clone takes its place. */
static void deny_namespaces(void) {
    refuse(SYS_clone3, ENOSYS);
    refuse(SYS_setns, EPERM);
    refuse_bits(SYS_unshare, 0, NAMESPACES, 0);
    refuse_bits(SYS_clone, 0, NAMESPACES, 0);
    answer(SECCOMP_RET_ALLOW);
    install();
}

/* SystemCallArchitectures=native and SystemCallFilter= */
static void limit_calls(void) {
    add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, NATIVE);
    answer(SECCOMP_RET_KILL_PROCESS);
    load_number();
    for (size_t i = 0; i < COUNT(allowed); i++) {
        unless_equal_skip(allowed[i], 1);
        answer(SECCOMP_RET_ALLOW);
    }
    answer(REFUSAL);
    install();
}

static void leave_root(void) {
    if (geteuid() != 0)
        return;
    check(setgroups(0, NULL), "setgroups");
    check(setresgid(NOBODY, NOBODY, NOBODY), "setresgid");
    check(setresuid(NOBODY, NOBODY, NOBODY), "setresuid");
}

int main(int count, char **arguments) {
    (void)count;
    /* Opened beforehand: nobody may not be allowed to go where it is. */
    int program = open(arguments[1], O_RDONLY | O_CLOEXEC);
    check(program < 0, arguments[1]);

    struct rlimit files;
    check(getrlimit(RLIMIT_NOFILE, &files), "getrlimit");
    if (files.rlim_max == RLIM_INFINITY || files.rlim_max > OPEN_FILES)
        files.rlim_max = OPEN_FILES;
    files.rlim_cur = files.rlim_max;
    check(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
    umask(FILE_MASK);
    for (int capability = 0; NO_CAPABILITIES && capability < 64; capability++)
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    leave_root();
    check(NO_NEW_PRIVILEGES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");

    limit_families();
    if (DENY_WRITE_EXECUTE)
        deny_write_execute();
    if (DENY_NAMESPACES)
        deny_namespaces();
    limit_calls();
    fexecve(program, arguments + 1, environ);
    perror("fexecve");
    return 70;
}
