package session

import "github.com/hanwen/go-fuse/v2/fuse"

// What one message may hold. The kernel counts a READ in pages of its own size,
// 4 to 64 KiB; a WRITE in bytes. A slot of minReadBuffer bytes holds a request
// with maxWrite bytes of data; a reply buffer holds all the pages that were
// agreed on, and one more for the header.
const (
	// MinRead is the least that one READ may carry, in bytes.
	MinRead  = 128 << 10
	maxWrite = 4096 // the kernel takes no less

	maxPages     = 256 // FUSE_MAX_MAX_PAGES
	defaultPages = 32  // FUSE_DEFAULT_MAX_PAGES_PER_REQ: where nothing was agreed on
)

// readPages returns the max_pages of the INIT answer.
func (c *Config) readPages() uint16 {
	return uint16(min((c.MaxRead+c.PageSize-1)/c.PageSize, maxPages))
}

// agreedPages returns how many pages the kernel asks for in one READ, by a raw
// INIT answer; nil: it is not known what an earlier process agreed on, so the most.
func (c *Config) agreedPages(answer []byte) int {
	var out fuse.InitOut
	if answer == nil {
		return max(defaultPages, int(c.readPages()))
	}
	if copy(bytesOf(&out), answer[outHeaderSize:]); out.Flags&fuse.CAP_MAX_PAGES != 0 {
		return max(int(out.MaxPages), 1)
	}
	return defaultPages
}

// replySize returns the size of a reply buffer in bytes.
func (c *Config) replySize(answer []byte) int { return (c.agreedPages(answer) + 1) * c.PageSize }
