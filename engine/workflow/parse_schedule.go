package workflow

import (
	"errors"
	"fmt"

	"github.com/pdflow/pdflow/engine/action"
	"github.com/pdflow/pdflow/engine/schedule"
	"gopkg.in/yaml.v3"
)

// schedules reads `schedule:`: a cron text, a mapping, or a list of these.
func (p *parser) schedules(n *yaml.Node, w *Workflow) {
	target := p.resolve(n)
	if target == nil {
		return
	}
	if target.Kind == yaml.SequenceNode {
		for _, item := range target.Content {
			p.schedule(item, w)
		}
		return
	}
	p.schedule(n, w)
}

func (p *parser) schedule(n *yaml.Node, w *Workflow) {
	target := p.resolve(n)
	if target == nil {
		return
	}
	s := Schedule{Position: Position{n.Line, n.Column}, CatchUp: CatchUp{Mode: "last"}}
	if target.Kind == yaml.ScalarNode {
		s.Spec = p.cron(target, p.someText(target, "a schedule"), nil, "")
		w.Schedules = append(w.Schedules, s)
		return
	}
	var cron, zone *yaml.Node
	seen := p.mapping(target, "a schedule",
		key{name: "id", read: func(v *yaml.Node) { p.id(v, "a schedule's id", &s.ID) }},
		key{name: "cron", read: func(v *yaml.Node) { cron = v }},
		key{name: "timezone", read: func(v *yaml.Node) { zone = v }},
		key{name: "catch_up", read: func(v *yaml.Node) { s.CatchUp = p.catchUp(v) }},
		key{name: "inputs", read: func(v *yaml.Node) {
			if o, ok := p.plain(p.value(v, "a schedule's inputs"), "a schedule's input").(map[string]any); ok {
				s.Inputs = o
			} else {
				p.report(v, "wrong-type", "a schedule's inputs must be a mapping", "")
			}
		}},
	)
	if !seen["cron"] {
		p.report(n, "missing-key", `a schedule needs "cron"`, `for example cron: "0 9 * * MON-FRI"`)
		return
	}
	zoneName := ""
	if zone != nil {
		zoneName = p.text(zone, "timezone")
	}
	s.Spec = p.cron(cron, p.someText(cron, "cron"), zone, zoneName)
	w.Schedules = append(w.Schedules, s)
}

func (p *parser) cron(n *yaml.Node, text string, zoneNode *yaml.Node, zone string) schedule.Schedule {
	if text == "" {
		return schedule.Schedule{} // reported already
	}
	spec, err := schedule.Parse(text, zone)
	if err != nil {
		p.scheduleError(n, zoneNode, err)
		return spec
	}
	for _, warning := range spec.Warnings() {
		p.warnAt(Position{n.Line, n.Column}, "schedule-days", warning, "")
	}
	return spec
}

func (p *parser) scheduleError(n, zoneNode *yaml.Node, err error) {
	var typed *schedule.Error
	if !errors.As(err, &typed) {
		p.report(n, "bad-schedule", err.Error(), "")
		return
	}
	if typed.Field == "timezone" && zoneNode != nil {
		n = zoneNode
	}
	p.report(n, "bad-schedule", typed.Message, typed.Hint)
}

func (p *parser) catchUp(n *yaml.Node) CatchUp {
	c := CatchUp{Mode: "last"}
	p.mapping(n, "catch_up",
		key{name: "mode", read: func(v *yaml.Node) {
			if c.Mode = p.someText(v, "mode"); c.Mode == "" {
				return
			}
			modes := []string{"none", "last", "all"}
			if c.Mode != "none" && c.Mode != "last" && c.Mode != "all" {
				hint := action.DidYouMean(c.Mode, modes)
				if hint == "" {
					hint = "one of: none, last, all"
				}
				p.report(v, "bad-schedule", fmt.Sprintf("there is no catch-up mode %q", clipped(c.Mode)), hint)
			}
		}},
		key{name: "window", read: func(v *yaml.Node) { c.Window = p.duration(v, "window") }},
	)
	return c
}

// checkSchedules checks what each schedule gives against the declarations, and
// that their ids tell them apart.
func (p *parser) checkSchedules(w *Workflow) {
	ids := map[string]int{}
	for _, s := range w.Schedules {
		if line := ids[s.ID]; line > 0 && s.ID != "" {
			p.reportAt(s.Position, "duplicate-schedule", fmt.Sprintf("there are two schedules %q", s.ID), fmt.Sprintf("the other begins in line %d", line))
		}
		ids[s.ID] = s.Position.Line
		for _, problem := range w.Inputs.Check(s.Inputs) {
			p.reportAt(s.Position, "schedule-inputs", "this schedule: "+problem.Message, problem.Hint)
		}
		for _, c := range w.Inputs.PlainCredentials(s.Inputs) {
			p.reportAt(s.Position, "literal-secret", fmt.Sprintf("this schedule: the secret input %s stands in the file itself", c.Path), "declare it under `secrets:` instead; its text then comes from the environment")
		}
	}
}
