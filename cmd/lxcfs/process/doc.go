// Package process is what each process of lxcfs does with itself, whatever it
// serves: exit statuses, descriptors over an execve(2), the pid file, Go's runtime
// and profiles. It knows no mount, no request and no container.
package process
