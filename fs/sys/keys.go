package sys

import (
	"errors"
	"maps"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/vfs"
)

// keyBits is the length of a key: sysfs numbers its inodes from 1 up.
const keyBits = 32

// keyOf returns the key of an inode.
func keyOf(ino uint64) vfs.Key { return vfs.Key(uint32(ino)) }

// linkKey is set in the key of what is shown as a symlink: for other callers
// the same is a file or a directory, and a node never changes its type. Only
// /sys/block has them, and keys of one bit more.
const linkKey vfs.Key = 1 << keyBits

func (i info) key() vfs.Key {
	if i.link != "" {
		return keyOf(i.ino) | linkKey
	}
	return keyOf(i.ino)
}

// keys knows where each key is. It grows with what is looked up, at most to twice
// the size of the tree and keptKeys.
type keys struct {
	top []string // path of the top directory

	mu      sync.RWMutex // guards all below
	places  map[vfs.Key]place
	limit   int // when there are so many places, those of nodes that are gone are dropped
	scanned bool
}

// keptKeys is how many keys are kept at least.
const keptKeys = 4096

// place is a name in a directory.
type place struct {
	dir  vfs.Key
	name string
}

func newKeys(top ...string) *keys {
	return &keys{top: top, places: make(map[vfs.Key]place), limit: keptKeys}
}

// learn notes where a key was found.
func (k *keys) learn(key, dir vfs.Key, name string) {
	at := place{dir, name}
	k.mu.RLock()
	known := k.places[key] == at
	k.mu.RUnlock()
	if known {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.places[key] = at
}

// forget drops a key whose node is gone.
func (k *keys) forget(key vfs.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.places, key)
}

// prune drops the keys of nodes that are gone, if there are many keys: whoever may
// make devices (loop-control, say) and remove them can have any number looked up.
func (k *keys) prune(s source) {
	k.mu.Lock()
	if len(k.places) < k.limit {
		k.mu.Unlock()
		return
	}
	k.limit = 2 * len(k.places) // one goroutine does it
	all := slices.Collect(maps.Keys(k.places))
	k.mu.Unlock()
	for _, key := range all {
		path, ok := k.known(key)
		if ok {
			i, err := s.stat(path)
			ok = err == nil && keyOf(i.ino) == key || err != nil && !errors.Is(err, unix.ENOENT)
		}
		if !ok {
			k.forget(key)
		}
	}
	k.mu.Lock()
	k.limit = max(keptKeys, 2*len(k.places))
	k.mu.Unlock()
}

// path returns the path of a key.
func (k *keys) path(s source, key vfs.Key) ([]string, error) {
	if path, ok := k.known(key); ok {
		return path, nil
	}
	k.scan(s)
	if path, ok := k.known(key); ok {
		return path, nil
	}
	return nil, unix.ESTALE
}

// known returns the path of a key that was learnt.
func (k *keys) known(key vfs.Key) ([]string, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var names [maxDepth]string
	i := len(names)
	for ; key != vfs.Top; i-- {
		at, ok := k.places[key]
		if !ok || i <= len(k.top) {
			return nil, false
		}
		names[i-1] = at.name
		key = at.dir
	}
	return slices.Concat(k.top, names[i:]), true
}

// scan learns the whole tree, once: an earlier process gave keys that this one
// has not looked up.
func (k *keys) scan(s source) {
	k.mu.Lock()
	done := k.scanned
	k.scanned = true
	k.mu.Unlock()
	if !done {
		k.scanDir(s, k.top, vfs.Top)
	}
}

func (k *keys) scanDir(s source, path []string, dir vfs.Key) {
	names, err := s.list(path)
	if err != nil || len(path) >= maxDepth-1 {
		return
	}
	for _, name := range names {
		child := append(path[:len(path):len(path)], name)
		i, err := s.stat(child)
		if err != nil {
			continue
		}
		k.learn(keyOf(i.ino), dir, name)
		if i.kind() == unix.S_IFDIR {
			k.scanDir(s, child, keyOf(i.ino))
		}
	}
}
