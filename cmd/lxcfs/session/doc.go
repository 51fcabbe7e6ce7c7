// Package session keeps one FUSE connection alive across the processes that
// serve it.
//
// Each request is read(2) from /dev/fuse straight into a slot of the journal, a
// memfd that somebody else (the service manager, a keeper) holds as well. The
// slot is cleared after the reply is written. A slot that is not clear when a
// process starts is a request that the process before it owed an answer, and is
// dispatched first. So a process may end at any instruction: stopping and
// crashing are the same path, and a second answer to the same request is
// refused by the kernel with ENOENT.
//
// What makes a slot whole: the kernel copies the 40 bytes of fuse_in_header in
// one memcpy, for a slot begins on a page, and a SIGKILL does not interrupt the
// kernel's own code. It does fail a page fault, which is why slots and reply
// buffers are mapped and locked beforehand. If the copy of the rest fails, the
// kernel has answered that request with EIO by itself, and our answer to it is
// the harmless second one. A header that no kernel writes is dropped and
// reported.
//
// The kernel has one queue for all who ask. When there is a backlog in it, all of it
// is read, into slots that are there for this, and those who ask get their answers
// in turns: see queues. Who waits there waits in the journal, and takes no worker. A
// request that waits is cut to 4 KiB: a WRITE's data may be shorter than its size says.
//
// Requests are carried out by a fuse.RawFileSystem. OPEN, READ and
// RELEASE, which each reading program sends, are decoded here, without garbage; all
// other requests are decoded by go-fuse's ProtocolServer.
// The package does not mount, log, or open a path.
package session
