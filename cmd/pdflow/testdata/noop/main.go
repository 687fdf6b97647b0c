// Command noop links what pdflow links and does nothing: what starting such a
// program costs at least. The benchmark of a cold start is measured beside it.
package main

import (
	_ "github.com/pdflow/pdflow/builtins"
	_ "github.com/pdflow/pdflow/builtins/pagerduty/client"
	_ "github.com/pdflow/pdflow/builtins/pagerduty/simulator"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/alert"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/control"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/health"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/heartbeat"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/library"
	_ "github.com/pdflow/pdflow/cmd/pdflow/internal/daemon/systemd"
	_ "github.com/pdflow/pdflow/engine"
	_ "github.com/pdflow/pdflow/engine/action"
	_ "github.com/pdflow/pdflow/engine/journal/sqlite"
	_ "github.com/pdflow/pdflow/engine/lua"
	_ "github.com/pdflow/pdflow/engine/scheduler"
	_ "github.com/pdflow/pdflow/engine/telemetry"
	_ "github.com/pdflow/pdflow/engine/workflow"
	_ "github.com/spf13/cobra"
	_ "golang.org/x/term"
)

func main() {}
