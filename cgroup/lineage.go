package cgroup

import (
	"errors"
	"io/fs"
	"sort"
	"strings"
)

// Of the cgroups from one to the root these are looked at for limits: the nearest
// and the outermost. Nothing is made so deep that one is left out; but who may make
// cgroups may make them as deep as a path goes, and each look by an absolute path
// costs the kernel as many steps as that has. What is left out then are limits that
// a container sets to itself.
const (
	nearLevels = 8
	farLevels  = 32
)

// levels returns how many cgroups are above p, up to what is mounted.
func (p place) levels() int {
	if p.top() {
		return 0
	}
	below := p.path
	if p.hierarchy.Root != "/" {
		below = strings.TrimPrefix(below, p.hierarchy.Root)
	}
	return strings.Count(below, "/")
}

// up returns the cgroup that is so many levels above p, which has that many.
func (p place) up(levels int) place {
	for range levels {
		p, _ = p.parent()
	}
	return p
}

// above returns the next cgroup to look at on the way to the root, after p, which
// was the level-th from 1 on.
func (p place) above(level int) (place, bool) {
	if level == nearLevels {
		p = p.up(max(0, p.levels()-farLevels-1))
	}
	return p.parent()
}

// nearest returns the content of a file of the nearest cgroup above p that has it,
// and that cgroup; fs.ErrNotExist when none but the root cgroup can have. On v2 a
// controller is only there where it is in all cgroups above.
func (h *Host) nearest(buf *[]byte, p place, file string) (b []byte, has place, err error) {
	n := p.levels()
	if n > 0 && p.up(n).root() {
		n--
	}
	err = fs.ErrNotExist
	missing := func(i int) bool {
		has = p.up(n - i)
		b, err = h.content(buf, has.dir, file)
		return errors.Is(err, fs.ErrNotExist)
	}
	for i := n - 1; i >= 0 && i >= n-nearLevels; i-- {
		if !missing(i) {
			return b, has, err
		}
	}
	// From the outermost, number 0, so many have it.
	if i := sort.Search(max(0, n-nearLevels), missing); i > 0 {
		missing(i - 1)
	}
	return b, has, err
}
