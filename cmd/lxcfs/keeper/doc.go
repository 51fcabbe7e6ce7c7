// Package keeper keeps a server running: it holds the descriptors that the server
// needs and starts it anew when it dies, without systemd ([Run]) and as the main
// process of lxcfs.service ([Service]). The protocol between the two is units/fdstore.
//
// It reads no request and no file of a container.
package keeper
