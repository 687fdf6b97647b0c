package action

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
)

// Markdown returns the reference page of the action: its summary, how to call it, a
// table of inputs and a table of outputs.
func (a *Action) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n", a.Name, a.Summary)
	if a.Doc != "" {
		fmt.Fprintf(&b, "\n%s\n", a.Doc)
	}
	fmt.Fprintf(&b, "\nIn Lua: `%s`%s. %s", a.Signature(), a.loop(), effects[a.Effect.row()].doc)
	switch a.Late {
	case LateNever:
		b.WriteString(" A call without a result is not sent again after `resume_within`.")
	case LateWithOwnKey:
		fmt.Fprintf(&b, " A call without a result is sent again after `resume_within` only if `%s` was given.", a.Key)
	}
	if a.Guarded {
		fmt.Fprintf(&b, " Must be listed under `permissions: {%s: [%s]}`.", a.Module(), a.Function())
	}
	b.WriteString("\n\n#### Input\n\n")
	table(&b, []string{"Name", "Type", "Default", "Required", "Description", "Enum"}, a.In.InputRows())
	b.WriteString("\n#### Output\n\n")
	table(&b, []string{"Name", "Type", "Required", "Description"}, a.Out.OutputRows())
	for _, object := range a.sharedObjects() {
		fmt.Fprintf(&b, "\n#### Type %s\n\n", object.Name)
		table(&b, []string{"Name", "Type", "Required", "Description"}, object.OutputRows())
	}
	return b.String()
}

// Signature returns how a script calls the action.
func (a *Action) Signature() string {
	if len(a.Args) > 0 {
		return a.Name + "(" + strings.Join(a.Args, ", ") + ")"
	}
	var names []string
	for _, f := range a.In.Fields {
		if f.Required {
			names = append(names, f.Name+" = …")
		}
	}
	if len(names) < len(a.In.Fields) {
		names = append(names, "…")
	}
	return a.Name + "{" + strings.Join(names, ", ") + "}"
}

// loop returns how a script loops over the list that the action returns.
func (a *Action) loop() string {
	if a.Lists.Items == "" {
		return ""
	}
	items, _ := a.Out.Field(a.Lists.Items)
	return fmt.Sprintf(", or `for %s in %s do … end`, which goes over `%s`", items.Type.Elem.Name, a.Signature(), items.Name)
}

// sharedObjects returns the types with a name, such as user, in the output and in its
// lists.
func (a *Action) sharedObjects() []*Schema {
	var objects []*Schema
	for _, f := range a.Out.Fields {
		t := &f.Type
		for t.Elem != nil {
			t = t.Elem
		}
		if t.Fields != nil && t.Fields.Name != "" && !slices.ContainsFunc(objects, func(s *Schema) bool { return s.Name == t.Fields.Name }) {
			objects = append(objects, t.Fields)
		}
	}
	return objects
}

// InputRows returns a row for each field: Name, Type, Default, Required,
// Description, Enum.
func (s *Schema) InputRows() [][]string {
	rows := make([][]string, 0, len(s.Fields))
	for _, f := range s.Fields {
		rows = append(rows, []string{f.Name, f.Type.String(), orNone(f.Default), yesNo(f.Required), f.Doc, enumText(f.Enum)})
	}
	return rows
}

// OutputRows returns a row for each field: Name, Type, Required, Description.
func (s *Schema) OutputRows() [][]string {
	rows := make([][]string, 0, len(s.Fields))
	for _, f := range s.Fields {
		rows = append(rows, []string{f.Name, f.Type.String(), yesNo(f.Required), f.Doc})
	}
	return rows
}

func orNone(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case float64:
		return phrase.Number(v)
	}
	return fmt.Sprint(v)
}

func yesNo(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func enumText(enum []string) string {
	if len(enum) == 0 {
		return "None"
	}
	return "['" + strings.Join(enum, "', '") + "']"
}

func table(b *strings.Builder, header []string, rows [][]string) {
	if len(rows) == 0 {
		b.WriteString("None.\n")
		return
	}
	fmt.Fprintf(b, "|%s|\n", strings.Join(header, "|"))
	for _, title := range header {
		b.WriteString("|" + strings.Repeat("-", len(title)))
	}
	b.WriteString("|\n")
	for _, row := range rows {
		for _, cell := range row { // a | in a cell would end the cell
			b.WriteString("|" + strings.ReplaceAll(cell, "|", `\|`))
		}
		b.WriteString("|\n")
	}
}
