package container

import "testing"

// A ring keeps no more than it has room for, and knows what that costs.
func TestRingRoom(t *testing.T) {
	dropped := 0
	r := ring[int, int]{limit: 100, room: 1000, cost: func(v int) int { return v }, dropped: func(int) { dropped++ }}
	for key := range 50 {
		r.put(key, 10)
	}
	if len(r.slots) != 50 || r.used != 500 || dropped != 0 {
		t.Fatalf("%d entries cost %d, %d dropped; want 50, 500, 0", len(r.slots), r.used, dropped)
	}
	for key := range 50 {
		r.put(1000+key, 300)
	}
	if len(r.slots) != 3 || r.used != 900 || dropped != 97 {
		t.Errorf("%d entries cost %d, %d dropped; want 3, 900, 97", len(r.slots), r.used, dropped)
	}
	r.put(1049, 100) // in the place of another value
	if v, ok := r.get(1049); v != 100 || !ok || r.used != 700 {
		t.Errorf("got %d, %t, cost %d; want 100, true, 700", v, ok, r.used)
	}
	r.remove(1049)
	for range 2 {
		r.fade()
	}
	if len(r.slots) != 0 || r.used != 0 {
		t.Errorf("%d entries cost %d, want none", len(r.slots), r.used)
	}
}
