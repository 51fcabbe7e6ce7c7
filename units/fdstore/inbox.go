package fdstore

import "sync"

// inbox passes on what the Manager heard to the supervisor, without ever
// blocking the Manager.
type inbox struct {
	wake chan struct{} // holds an element when there is news

	mu   sync.Mutex // guards news
	news news
}

// news is what the worker said since the last look.
type news struct {
	ready, alive, trigger bool
}

func newInbox() *inbox {
	return &inbox{wake: make(chan struct{}, 1)}
}

func (b *inbox) put(kind Kind) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch kind {
	case Ready:
		b.news.ready = true
	case Alive:
		b.news.alive = true
	case Trigger:
		b.news.trigger = true
	default:
		return
	}
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns the news and forgets it.
func (b *inbox) take() news {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.news
	b.news = news{}
	return n
}
