package workflow

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pdflow/pdflow/engine/schedule"
	"github.com/pdflow/pdflow/engine/source"
)

// readSchedules reads `schedule:`: a cron text, a mapping, or a list of these.
func readSchedules(n source.Node, w *Workflow) {
	target, ok := n.Resolve()
	switch {
	case !ok:
	case target.IsList():
		target.Items("schedule", func(item source.Node) { readSchedule(item, w) })
	default:
		readSchedule(n, w)
	}
}

func readSchedule(n source.Node, w *Workflow) {
	target, ok := n.Resolve()
	if !ok {
		return
	}
	s := Schedule{Position: n.Position(), CatchUp: CatchUp{Mode: "last"}}
	if target.IsScalar() {
		s.Spec = readCron(target, target.SomeText("a schedule"), nil)
		w.Schedules = append(w.Schedules, s)
		return
	}
	var cron, zone *source.Node
	target.Mapping("a schedule",
		source.Key{Name: "id", Read: func(v source.Node) { v.Identifier("a schedule's id", &s.ID) }},
		source.Key{Name: "cron", Read: func(v source.Node) { cron = &v }},
		source.Key{Name: "timezone", Read: func(v source.Node) { zone = &v }},
		source.Key{Name: "catch_up", Read: func(v source.Node) { s.CatchUp = readCatchUp(v) }},
		source.Key{Name: "inputs", Read: func(v source.Node) {
			if o, ok := v.Data("a schedule's inputs", "a schedule's input").(map[string]any); ok {
				s.Inputs = o
			} else {
				v.Report("wrong-type", "a schedule's inputs must be a mapping", "")
			}
		}},
	)
	if cron == nil {
		n.Report("missing-key", `a schedule needs "cron"`, `for example cron: "0 9 * * MON-FRI"`)
		return
	}
	s.Spec = readCron(*cron, cron.SomeText("cron"), zone)
	w.Schedules = append(w.Schedules, s)
}

// readCron parses a cron text, which stands at the node, and its zone, if there is
// one.
func readCron(n source.Node, text string, zone *source.Node) schedule.Schedule {
	zoneName := ""
	if zone != nil {
		zoneName = zone.Text("timezone")
	}
	if text == "" {
		return schedule.Schedule{} // reported already
	}
	spec, err := schedule.Parse(text, zoneName)
	typed, _ := errors.AsType[*schedule.Error](err)
	switch {
	case typed != nil && typed.Field == "timezone" && zone != nil:
		zone.Report("bad-schedule", typed.Message, typed.Hint)
	case typed != nil:
		n.Report("bad-schedule", typed.Message, typed.Hint)
	case err != nil:
		n.Report("bad-schedule", err.Error(), "")
	}
	for _, warning := range spec.Warnings() {
		n.Document().Warn(n.Position(), "schedule-days", warning, "")
	}
	return spec
}

func readCatchUp(n source.Node) CatchUp {
	c := CatchUp{Mode: "last"}
	n.Mapping("catch_up",
		source.Key{Name: "mode", Read: func(v source.Node) {
			c.Mode = v.OneOf("mode", "catch-up mode", "bad-schedule", "none", "last", "all")
		}},
		source.Key{Name: "window", Read: func(v source.Node) { c.Window = v.Duration("window") }},
	)
	return c
}

// checkSchedules checks the inputs of each schedule against the declarations. It also
// reports two schedules with the same id, and two that would start the same run twice.
func checkSchedules(w *Workflow) {
	ids := map[string]int{}
	for i, s := range w.Schedules {
		report := func(rule, message, hint string) { w.document.Report(s.Position, rule, message, hint) }
		if line := ids[s.ID]; line > 0 && s.ID != "" {
			report("duplicate-schedule", fmt.Sprintf("there are two schedules %q", s.ID), fmt.Sprintf("the other begins in line %d", line))
		}
		ids[s.ID] = s.Position.Line
		if before := slices.IndexFunc(w.Schedules[:i], s.repeats); before >= 0 {
			report("duplicate-schedule", fmt.Sprintf("this schedule has the same times and inputs as the schedule in line %d, so each run would start twice", w.Schedules[before].Position.Line),
				"remove one of them, or give it other `inputs:`")
		}
		for _, problem := range w.Inputs.Check(s.Inputs) {
			report("schedule-inputs", "this schedule: "+problem.Message, problem.Hint)
		}
		for _, c := range w.Inputs.PlainCredentials(s.Inputs) {
			report("literal-secret", fmt.Sprintf("this schedule: the text of the secret input %s is in the file itself", c.Path), "declare it under `secrets:` instead; its text then comes from the environment")
		}
	}
}
