// Package workflows holds the runbooks that come with pdflow. They are examples
// to read, files to run, and part of the tests: each runs against the simulator.
package workflows

import "embed"

// Files are the shipped runbooks, `NAME.yaml`, the worlds that `--simulate` shows to
// them, `NAME.world.yaml`, and their tests, `NAME.test.txtar`.
//
//go:embed *.yaml *.txtar
var Files embed.FS
