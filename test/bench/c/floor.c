/*
 * floor: a FUSE file system of one constant file, by the low-level interface of
 * libfuse. What a read of it costs is what FUSE costs; no server of files in
 * user space is faster.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LENGTH 1500

/* Every name is a directory down to proc and sys/devices/system/cpu, and then a file. */
enum { ROOT = 1, PROC, SYS, DEVICES, SYSTEM, CPU, FIRST_FILE };

static char content[LENGTH];

static void fill(fuse_ino_t ino, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_nlink = 1;
	st->st_mode = ino < FIRST_FILE ? S_IFDIR | 0555 : S_IFREG | 0444;
	st->st_size = ino < FIRST_FILE ? 0 : 65536;
}

static fuse_ino_t child(fuse_ino_t parent, const char *name)
{
	if (parent == ROOT && strcmp(name, "proc") == 0)
		return PROC;
	if (parent == ROOT && strcmp(name, "sys") == 0)
		return SYS;
	if (parent >= SYS && parent < CPU)
		return parent + 1;
	return FIRST_FILE;
}

static void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param e;
	memset(&e, 0, sizeof(e));
	e.ino = child(parent, name);
	e.entry_timeout = e.ino < FIRST_FILE ? 3600 : 0;
	fill(e.ino, &e.attr);
	fuse_reply_entry(req, &e);
}

static void get_attr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	(void)fi;
	fill(ino, &st);
	fuse_reply_attr(req, &st, 0);
}

static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	fi->direct_io = 1;
	fi->noflush = 1;
	fuse_reply_open(req, fi);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	if (off >= LENGTH)
		fuse_reply_buf(req, NULL, 0);
	else
		fuse_reply_buf(req, content + off, LENGTH - (size_t)off < size ? LENGTH - (size_t)off : size);
}

static const struct fuse_lowlevel_ops ops = {
	.lookup = lookup,
	.getattr = get_attr,
	.open = open_file,
	.read = read_file,
};

int main(int argc, char **argv)
{
	char *arguments[] = {argv[0], "-odefault_permissions,allow_other,fsname=floor"};
	struct fuse_args args = FUSE_ARGS_INIT(2, arguments);
	struct fuse_session *s;
	int rc = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: floor MOUNTPOINT\n");
		return 2;
	}
	memset(content, '.', LENGTH);
	s = fuse_session_new(&args, &ops, sizeof(ops), NULL);
	if (s && fuse_set_signal_handlers(s) == 0 && fuse_session_mount(s, argv[1]) == 0) {
		rc = fuse_session_loop(s);
		fuse_session_unmount(s);
	}
	return rc != 0;
}
