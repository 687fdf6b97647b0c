package action

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pdflow/pdflow/engine/phrase"
)

// A Catalog is the list of actions that steps can call. It is immutable and safe
// for concurrent use.
type Catalog struct {
	actions []*Action // by name
	byName  map[string]*Action
	modules map[string][]string // module to its functions, sorted
	guarded map[string]bool     // the modules with an action that is guarded
	// bindable are the names of the inputs that secrets can be bound to, sorted.
	bindable []string
}

// NewCatalog returns a catalogue of actions. Two of one name are an error.
func NewCatalog(actions ...*Action) (*Catalog, error) {
	c := &Catalog{byName: map[string]*Action{}, modules: map[string][]string{}, guarded: map[string]bool{}}
	for _, a := range actions {
		if c.byName[a.Name] != nil {
			return nil, fmt.Errorf("the action %q is declared twice", a.Name)
		}
		c.byName[a.Name] = a
		c.actions = append(c.actions, a)
		c.modules[a.Module()] = append(c.modules[a.Module()], a.Function())
		c.guarded[a.Module()] = c.guarded[a.Module()] || a.Guarded
		for i := range a.In.Fields {
			if f := &a.In.Fields[i]; f.Bindable && !slices.Contains(c.bindable, f.Name) {
				c.bindable = append(c.bindable, f.Name)
			}
		}
	}
	slices.Sort(c.bindable)
	slices.SortFunc(c.actions, func(a, b *Action) int { return strings.Compare(a.Name, b.Name) })
	for _, functions := range c.modules {
		slices.Sort(functions)
	}
	return c, nil
}

// Lookup returns an action by name.
func (c *Catalog) Lookup(name string) (*Action, bool) {
	a, ok := c.byName[name]
	return a, ok
}

// All returns every action, sorted by name.
func (c *Catalog) All() []*Action { return slices.Clone(c.actions) }

// Names returns the name of every action, sorted.
func (c *Catalog) Names() []string {
	names := make([]string, len(c.actions))
	for i, a := range c.actions {
		names[i] = a.Name
	}
	return names
}

// Modules returns the names of the modules, sorted.
func (c *Catalog) Modules() []string { return phrase.Names(c.modules) }

// Guards reports whether a module has an action that is guarded. The permissions of
// a workflow can list the functions of such a module.
func (c *Catalog) Guards(module string) bool { return c.guarded[module] }

// Bindable returns the names of the inputs that a secret can be bound to, sorted.
func (c *Catalog) Bindable() []string { return slices.Clone(c.bindable) }

// Functions returns the names of a module's functions, sorted; nil when there is
// no such module.
func (c *Catalog) Functions(module string) []string { return slices.Clone(c.modules[module]) }
