package systree

import (
	"sync"

	"golang.org/x/sys/unix"

	"linuxcontainers.org/lxcfs/fs/subtree"
)

// KeyBits is the length of a key: sysfs numbers its inodes from 1 up.
const KeyBits = 32

// keyOf returns the key of an inode.
func keyOf(ino uint64) subtree.Key { return subtree.Key(uint32(ino)) }

// keys knows where each key is. It grows with what is looked up, at most to the
// size of the tree.
type keys struct {
	top string // first component of each path

	mu      sync.RWMutex // guards all below
	places  map[subtree.Key]place
	scanned bool
}

// place is a name in a directory.
type place struct {
	dir  subtree.Key
	name string
}

func newKeys(top string) *keys { return &keys{top: top, places: make(map[subtree.Key]place)} }

// learn notes where a key was found.
func (k *keys) learn(key, dir subtree.Key, name string) {
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

// path returns the path of a key below the walker's root.
func (k *keys) path(w *walker, key subtree.Key) ([]string, error) {
	if path := k.known(key); path != nil {
		return path, nil
	}
	k.scan(w)
	if path := k.known(key); path != nil {
		return path, nil
	}
	return nil, unix.ESTALE
}

// known returns the path of a key that was learnt, nil for another one.
func (k *keys) known(key subtree.Key) []string {
	k.mu.RLock()
	defer k.mu.RUnlock()
	var names [maxDepth]string
	i := len(names)
	for ; key != subtree.Top; i-- {
		at, ok := k.places[key]
		if !ok || i <= 1 {
			return nil
		}
		names[i-1] = at.name
		key = at.dir
	}
	return append([]string{k.top}, names[i:]...)
}

// scan learns the whole tree, once: an earlier process gave keys that this one
// has not looked up.
func (k *keys) scan(w *walker) {
	k.mu.Lock()
	done := k.scanned
	k.scanned = true
	k.mu.Unlock()
	if !done {
		k.scanDir(w, []string{k.top}, subtree.Top)
	}
}

func (k *keys) scanDir(w *walker, path []string, dir subtree.Key) {
	names, err := w.list(path)
	if err != nil || len(path) >= maxDepth-1 {
		return
	}
	for _, name := range names {
		child := append(path[:len(path):len(path)], name)
		i, err := w.stat(child)
		if err != nil {
			continue
		}
		k.learn(keyOf(i.ino), dir, name)
		if i.kind() == unix.S_IFDIR {
			k.scanDir(w, child, keyOf(i.ino))
		}
	}
}
