package proc

import (
	"bytes"
	"fmt"

	"linuxcontainers.org/lxcfs/cgroup"
	"linuxcontainers.org/lxcfs/fs/view"
)

// AppendPressure appends a file of /proc/pressure (since Linux 4.20, CONFIG_PSI;
// irq since 6.1; Documentation/accounting/psi.rst):
//
//	some avg10=0.54 avg60=1.74 avg300=1.69 total=23541975
//	full avg10=0.04 avg60=0.57 avg300=0.66 total=15410117
//
// The container's is the file of its cgroup, in the same format. Where its
// cgroup has none (v1, cgroup.pressure 0), the host's stays: it counts the
// container's stalls among others, so it is too high and never too low, whereas
// zeros would claim that nobody ever waited.
func AppendPressure(dst, host []byte, v *view.View) ([]byte, error) {
	if err := checkPressure(host); err != nil {
		return dst, err
	}
	if len(v.Pressure) == 0 {
		return append(dst, host...), nil
	}
	if err := checkPressure(v.Pressure); err != nil {
		return dst, err
	}
	return append(dst, v.Pressure...), nil
}

// checkPressure wants whole lines of a pressure file.
func checkPressure(text []byte) error {
	_, err := cgroup.ParsePressure(text)
	if err == nil && !bytes.HasSuffix(text, []byte("\n")) {
		err = cgroup.ErrFormat
	}
	if err != nil {
		return fmt.Errorf("pressure: %w", err)
	}
	return nil
}
