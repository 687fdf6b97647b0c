// Package workflows contains the runbooks that come with pdflow. They are examples, and
// the tests run each of them against the simulator.
package workflows

import "embed"

// Files contains the runbooks (`NAME.yaml`), their fake answers for `--simulate`
// (`NAME.world.yaml`), and their tests (`NAME.test.txtar`).
//
//go:embed *.yaml *.txtar
var Files embed.FS
