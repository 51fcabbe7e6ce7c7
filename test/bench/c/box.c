/*
 * box: the init of a benchmark's container, and the readers in it.
 *
 * It is started in a pid and mount namespace of its own and takes commands on
 * standard input, one a line; each is answered by one line on standard output:
 *
 *   read ROOT FILE MODE READERS MSEC CPU   measure; CPU -1: not pinned
 *   stay ROOT N                            N readers that wait for "sweep"
 *   sweep                                  each of them reads the five files
 *   cold ROOT                              a new process reads the five files
 *   spawn N                                N processes that sleep
 *
 * ROOT is a mount of a server, "-" is the kernel's own files. MODE is cat (open,
 * read to the end, close), once (one read less), pread (a READ of a file kept
 * open) or thread (cat by a new thread each time).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SAMPLES (1 << 18) /* of one reader */
#define MAX_READERS 64

static const char *const swept[] = {"/proc/meminfo", "/proc/stat", "/proc/cpuinfo", "/proc/uptime", "/proc/loadavg"};
#define SWEPT (sizeof(swept) / sizeof(swept[0]))

struct reader {
	uint32_t count, failed;
	uint32_t nsec[MAX_SAMPLES];
};

static char buffer[1 << 16];
static int sweepers[2] = {-1, -1}; /* orders to them, answers of them */
static int sweeping;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "box: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* bind_over puts a server's file over the kernel's, as a runtime does. */
static int bind_over(const char *root, const char *file)
{
	char from[512];
	if (strcmp(root, "-") == 0)
		return 0;
	snprintf(from, sizeof(from), "%s%s", root, file);
	return mount(from, file, NULL, MS_BIND, NULL);
}

static void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("mount namespace");
}

static int cat(const char *file, int to_end)
{
	ssize_t n;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	do
		n = read(fd, buffer, sizeof(buffer));
	while (n > 0 && to_end);
	close(fd);
	return n < 0 ? -1 : 0;
}

static void *cat_thread(void *file) { return (void *)(intptr_t)cat(file, 1); }

static int once(const char *file, const char *mode, int fd)
{
	pthread_t thread;
	void *failed;
	switch (mode[0]) {
	case 'p':
		return pread(fd, buffer, sizeof(buffer), 0) < 0 ? -1 : 0;
	case 'o':
		return cat(file, 0);
	case 't':
		if (pthread_create(&thread, NULL, cat_thread, (void *)file))
			return -1;
		pthread_join(thread, &failed);
		return failed ? -1 : 0;
	}
	return cat(file, 1);
}

static void measure(struct reader *r, const char *file, const char *mode, int msec)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 20; i++)
		once(file, mode, fd);
	uint64_t before = now(), until = before + (uint64_t)msec * 1000000u;
	while (before < until && r->count < MAX_SAMPLES) {
		if (once(file, mode, fd))
			r->failed++;
		uint64_t after = now();
		r->nsec[r->count++] = (uint32_t)(after - before);
		before = after;
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

/* report prints count, failures, and nanoseconds: of all, p50, p99, p99.9. */
static void report(struct reader *r, int readers, uint64_t wall)
{
	uint32_t n = 0, failed = 0, *all;
	for (int i = 0; i < readers; i++)
		n += r[i].count;
	all = malloc((n + 1) * sizeof(*all));
	n = 0;
	for (int i = 0; i < readers; i++) {
		memcpy(all + n, r[i].nsec, r[i].count * sizeof(*all));
		n += r[i].count;
		failed += r[i].failed;
	}
	if (n == 0) {
		printf("0 %u 0 0 0 0\n", failed);
	} else {
		qsort(all, n, sizeof(*all), by_value);
		printf("%u %u %llu %u %u %u\n", n, failed, (unsigned long long)wall, all[n / 2],
		       all[(uint64_t)n * 99 / 100], all[(uint64_t)n * 999 / 1000]);
	}
	free(all);
}

static void pin(int cpu)
{
	cpu_set_t set;
	if (cpu < 0)
		return;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("affinity");
}

static void cmd_read(const char *root, const char *file, const char *mode, int readers, int msec, int cpu)
{
	int start[2];
	size_t size = sizeof(struct reader) * (size_t)readers;
	struct reader *r = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r == MAP_FAILED || pipe2(start, O_CLOEXEC))
		die("shared memory");
	for (int i = 0; i < readers; i++) {
		if (fork())
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		char go;
		own_mounts();
		if (bind_over(root, file))
			die(file);
		pin(cpu);
		close(start[1]);
		if (read(start[0], &go, 1) < 0)
			die("start");
		measure(&r[i], file, mode, msec);
		_exit(0);
	}
	usleep(20000);
	uint64_t begin = now();
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < readers; i++)
		wait(NULL);
	report(r, readers, now() - begin);
	munmap(r, size);
}

static int sweep(void)
{
	int failed = 0;
	for (size_t i = 0; i < SWEPT; i++)
		failed |= cat(swept[i], 1);
	return failed;
}

static void bind_swept(const char *root)
{
	own_mounts();
	for (size_t i = 0; i < SWEPT; i++)
		if (bind_over(root, swept[i]))
			die(swept[i]);
}

static void cmd_stay(const char *root, int n)
{
	int orders[2], answers[2];
	if (sweepers[0] >= 0) { /* those of before end when their orders do */
		close(sweepers[0]);
		close(sweepers[1]);
		for (int i = 0; i < sweeping; i++)
			wait(NULL);
	}
	if (pipe2(orders, O_CLOEXEC) || pipe2(answers, O_CLOEXEC))
		die("pipe");
	for (int i = 0; i < n; i++) {
		if (fork())
			continue;
		char c;
		close(orders[1]);
		close(answers[0]);
		bind_swept(root);
		while (read(orders[0], &c, 1) == 1) {
			c = sweep() ? '!' : '.';
			if (write(answers[1], &c, 1) != 1)
				break;
		}
		_exit(0);
	}
	close(orders[0]);
	close(answers[1]);
	sweepers[0] = orders[1];
	sweepers[1] = answers[0];
	sweeping = n;
	puts("ok");
}

static void cmd_sweep(void)
{
	char c;
	int failed = 0;
	for (int i = 0; i < sweeping; i++)
		if (write(sweepers[0], ".", 1) != 1)
			die("sweep");
	for (int i = 0; i < sweeping; i++)
		failed |= read(sweepers[1], &c, 1) != 1 || c != '.';
	puts(failed ? "failed" : "ok");
}

static void cmd_cold(const char *root)
{
	int status = 1;
	pid_t pid = fork();
	if (pid == 0) {
		bind_swept(root);
		_exit(sweep() ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	puts(status ? "failed" : "ok");
}

static void cmd_spawn(int n)
{
	for (int i = 0; i < n; i++) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			fclose(stdin);
			for (;;)
				pause();
		}
	}
	puts("ok");
}

int main(void)
{
	char line[1024], root[512], file[256], mode[16];
	int n, msec, cpu;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Commands may come before the cgroups are set up: the first line is "go". */
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	/* A slave: servers may be mounted after the container was made. */
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) || mount("proc", "/proc", "proc", 0, NULL))
		die("/proc");
	puts("ok");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "read %511s %255s %15s %d %d %d", root, file, mode, &n, &msec, &cpu) == 6 && n <= MAX_READERS)
			cmd_read(root, file, mode, n, msec, cpu);
		else if (sscanf(line, "stay %511s %d", root, &n) == 2)
			cmd_stay(root, n);
		else if (sscanf(line, "cold %511s", root) == 1)
			cmd_cold(root);
		else if (sscanf(line, "spawn %d", &n) == 1)
			cmd_spawn(n);
		else if (strncmp(line, "sweep", 5) == 0)
			cmd_sweep();
		else
			puts("unknown command");
		fflush(stdout);
	}
	return 0;
}
