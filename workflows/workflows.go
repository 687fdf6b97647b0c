// Package workflows holds the runbooks that come with pdflow. They are examples
// to read, files to run, and part of the tests: each runs against the simulator.
package workflows

import "embed"

// Files are the shipped runbooks, `NAME.yaml`, and the worlds that `--simulate`
// shows to them, `NAME.world.yaml`.
//
//go:embed *.yaml
var Files embed.FS
